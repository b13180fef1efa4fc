using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Check;

/// <summary>One row a kind of damage: what is done to a healthy image, and all that is found.</summary>
public sealed class ImageCheckTests
{
    private const int ClusterBits = 12;
    private const int Cluster = 1 << ClusterBits;
    private const ulong Copied = 1UL << 63;

    // 512 entries an L2 table, 2048 refcounts of 16 bits a block.
    private static readonly Qcow2Builder Plain = new()
    {
        ClusterBits = ClusterBits,
        Size = 4L << 20,
        Clusters = [GuestClusters.Data(0, 1, 3), GuestClusters.Zero(5), GuestClusters.ZeroAllocated(6), GuestClusters.Compressed(8, 2, 2), GuestClusters.Data(600, 3)],
    };

    private static readonly Qcow2Image Image = Plain.Build();

    public static TheoryData<string, string[]> Damage => new()
    {
        { "a refcount of an unused cluster", ["Leak RefcountTooHigh"] },
        { "a data cluster's refcount is 0", ["Corruption CopiedFlag", "Corruption RefcountTooLow"] },
        { "a data cluster's refcount is 2", ["Corruption CopiedFlag", "Leak RefcountTooHigh"] },
        { "an L2 entry is cleared", ["Leak RefcountTooHigh"] },
        { "an L1 entry is cleared", ["Leak RefcountTooHigh", "Leak RefcountTooHigh"] },
        { "two entries share a cluster", ["Leak RefcountTooHigh", "Corruption RefcountTooLow"] },
        { "data on the L1 table", ["Corruption Overlap", "Leak RefcountTooHigh"] },
        { "data on the L1 table, and the refcount says so", ["Corruption CopiedFlag", "Corruption Overlap", "Leak RefcountTooHigh"] },
        { "COPIED is clear in L1", ["Corruption CopiedFlag"] },
        { "COPIED is clear in L2", ["Corruption CopiedFlag"] },
        { "COPIED is set for a compressed cluster", ["Corruption CopiedFlag"] },
        { "reserved bits in L1", ["Corruption ReservedBits"] },
        { "reserved bits in L2", ["Corruption ReservedBits"] },
        { "reserved bits in the refcount table", ["Corruption RefcountBlock", "Leak RefcountTooHigh"] },
        { "a data cluster is misaligned", ["Corruption Misaligned", "Corruption RefcountTooLow"] },
        { "a data cluster past the end", ["Corruption OutsideFile", "Corruption CopiedFlag", "Leak RefcountTooHigh"] },
        { "a refcount block is misaligned", ["Corruption RefcountBlock", "Error RefcountBlock"] },
        { "a refcount block past the end", [.. Enumerable.Repeat("Corruption CopiedFlag", 7), "Corruption RefcountBlock", .. Enumerable.Repeat("Corruption RefcountTooLow", 11)] },
        { "two refcount blocks are one", ["Corruption RefcountBlock", "Corruption Overlap"] },
        { "the snapshot table past the end", ["Error SnapshotTable"] },
        { "the snapshot table past the end, and a leak", ["Error SnapshotTable"] },
        { "dirty and corrupt", ["Warning HeaderFlag", "Warning HeaderFlag"] },
    };

    [Fact]
    public void Progress_GrowsToItsTotal()
    {
        Reports progress = new();
        using ImageCheck check = ImageCheck.Open(Repository.Image("snapshots.qcow2"));
        Assert.DoesNotContain(check.Run(progress), f => f.Severity != CheckSeverity.Warning);
        Assert.NotEmpty(progress.Values);
        Assert.Equal(progress.Values[^1].Total, progress.Values[^1].Done);
        Assert.Equal(progress.Values.Select(v => v.Done).Order(), progress.Values.Select(v => v.Done));
        Assert.All(progress.Values, v => Assert.InRange(v.Done, 0, v.Total));
    }

    [Fact]
    public void HealthyImage_HasNoFindings()
    {
        using ImageCheck check = ImageCheck.Open(new MemoryStream(Image.ToBytes()));
        Assert.Empty(check.Run());
        Assert.True(check.Summary.IsClean);
        Assert.Equal(
            (Image.FileLength, 1024, 7, 2, 2, 0),
            (check.Summary.ImageEndOffset, check.Summary.TotalClusters, check.Summary.AllocatedClusters, check.Summary.CompressedClusters, check.Summary.FragmentedClusters, check.Summary.Warnings));
    }

    [Theory]
    [MemberData(nameof(Damage))]
    public void Damage_IsFound(string damage, string[] expected) => Assert.Equal(expected, Kinds(Damaged(damage)));

    /// <summary>What is checked are whole sectors; what is told is the file's length as everyone sees it.</summary>
    [Fact]
    public void FileCutWithinASector_IsToldWithItsLength()
    {
        byte[] image = Image.ToBytes()[..(int)(Image.FileLength - Cluster - 3)];
        image.WriteU64(Image.L2EntryOffset(600), Copied | 0x7f_f000);
        Assert.Contains(Find(image), finding => finding.Message.EndsWith($"(offset 0x7ff000, 4096 bytes) lies past the end of the file of {image.Length} bytes", StringComparison.Ordinal));
    }

    [Fact]
    public void Finding_SaysWhere()
    {
        byte[] image = Image.ToBytes();
        image.WriteU64(Image.L2EntryOffset(600), Copied | 0x7f_f000);
        CheckFinding finding = Find(image)[0];
        Assert.Equal(
            new CheckFinding
            {
                Severity = CheckSeverity.Corruption,
                Kind = CheckFindingKind.OutsideFile,
                HostOffset = Image.L2EntryOffset(600),
                GuestOffset = 600 * Cluster,
                Message = $"L2 entry: what it refers to (offset 0x7ff000, 4096 bytes) lies past the end of the file of {Image.FileLength} bytes",
            },
            finding);
        Assert.Equal(
            new CheckFinding
            {
                Severity = CheckSeverity.Leak,
                Kind = CheckFindingKind.RefcountTooHigh,
                HostOffset = Image.HostOffsetOf(600)!.Value,
                Refcount = 1,
                References = 0,
                Message = $"cluster 0x{Image.HostOffsetOf(600):x}: the refcount is 1, there are 0 references",
            },
            Find(image)[^1]);
    }

    [Fact]
    public void ZeroFlagInVersion2_IsAWarning()
    {
        Qcow2Image image = new Qcow2Builder { Version = 2, ClusterBits = ClusterBits, Size = 1 << 20, Clusters = [GuestClusters.ZeroAllocated(0)] }.Build();
        Assert.Equal(["Warning ReservedBits"], Kinds(image.ToBytes()));
    }

    [Theory]
    [InlineData(0, 3UL, "Corruption SubclusterBitmap")]
    [InlineData(1, 0x1_0000_0001UL, "Corruption SubclusterBitmap")]
    [InlineData(1, 0x1_0000_0000UL, null)]
    [InlineData(2, 1UL, "Corruption CompressedCluster")]
    public void SubclusterBitmap_IsChecked(int cluster, ulong bitmap, string? expected)
    {
        Qcow2Image image = new Qcow2Builder
        {
            ClusterBits = 14,
            Size = 1 << 20,
            ExtendedL2 = true,
            Clusters = [GuestClusters.Subclusters(0, 0, 1, 7), GuestClusters.Subclusters(1, 1, 2, 7), GuestClusters.Compressed(2, 3)],
        }.Build();
        byte[] bytes = image.ToBytes();
        Assert.Empty(Find(bytes));
        bytes.WriteU64(image.L2EntryOffset(cluster) + 8, bitmap);
        Assert.Equal(expected, Kinds(bytes).FirstOrDefault());
    }

    [Fact]
    public void DataFile_IsNotNeeded()
    {
        Qcow2Image image = new Qcow2Builder { ClusterBits = ClusterBits, Size = 1 << 20, ExternalData = true, Clusters = [GuestClusters.Data(0, 1, 4)] }.Build();
        byte[] bytes = image.ToBytes();
        Assert.Empty(Find(bytes));
        Assert.Equal(["Warning DataFileOffset"], Kinds(bytes.WriteU64(image.L2EntryOffset(2), Copied | (9 << ClusterBits))));
        Assert.Equal(["Corruption CopiedFlag"], Kinds(bytes.WriteU64(image.L2EntryOffset(2), 2 << ClusterBits)));
        Assert.Equal(["Corruption CompressedCluster"], Kinds(bytes.WriteU64(image.L2EntryOffset(2), 1UL << 62)));
    }

    [Fact]
    public void RefcountOfOneBit_CanOverflow()
    {
        Qcow2Image image = new Qcow2Builder { ClusterBits = ClusterBits, Size = 1 << 20, RefcountOrder = 0, Clusters = [GuestClusters.Data(0, 1, 2)] }.Build();
        byte[] bytes = image.ToBytes();
        Assert.Equal(["Corruption RefcountOverflow", "Leak RefcountTooHigh"], Kinds(bytes.WriteU64(image.L2EntryOffset(1), bytes.ReadU64(image.L2EntryOffset(0)))));
    }

    [Fact]
    public void BitmapsOfAnUnawareWriter_AreAWarning()
    {
        Qcow2Builder builder = new() { ClusterBits = ClusterBits, Size = 1 << 20, Extensions = [new HeaderExtension(HeaderExtension.Bitmaps, new byte[24])] };
        Assert.Equal(["Warning HeaderFlag"], Kinds(builder.Build().ToBytes()));
    }

    [Fact]
    public void BrokenBitmapDirectory_HidesLeaks()
    {
        byte[] extension = new byte[24].WriteU32(0, 1).WriteU64(8, 32).WriteU64(16, 0x7000_0000);
        Qcow2Builder builder = new() { ClusterBits = ClusterBits, Size = 1 << 20, AutoclearFeatures = 1, Extensions = [new HeaderExtension(HeaderExtension.Bitmaps, extension)] };
        Qcow2Image image = builder.Build();
        byte[] bytes = [.. image.ToBytes(), .. new byte[Cluster]];
        bytes.WriteU16(image.RefcountBlockOffsets[0] + ((image.FileLength >> ClusterBits) * 2), 1);
        Assert.Equal(["Corruption OutsideFile", "Error Bitmap"], Kinds(bytes));
    }

    [Fact]
    public void EncryptionHeader_IsCountedWithoutAKey()
    {
        Qcow2Builder With(byte[] pointer) => new()
        {
            ClusterBits = ClusterBits,
            Size = 1 << 20,
            CryptMethod = 2,
            Extensions = [new HeaderExtension(HeaderExtension.FullDiskEncryption, pointer)],
        };
        Assert.Equal(["Corruption RefcountTooLow"], Kinds([.. With(new byte[16].WriteU64(0, 4 * Cluster).WriteU64(8, 100)).Build().ToBytes(), .. new byte[Cluster]]));
        Assert.Equal(["Error EncryptionHeader"], Kinds(With(new byte[16].WriteU64(0, 1 << 30).WriteU64(8, 100)).Build().ToBytes()));
        Assert.Equal(["Error EncryptionHeader"], Kinds(With(new byte[12]).Build().ToBytes()));
    }

    [Fact]
    public void RefcountTableThatIsMisplaced_IsAnError()
    {
        byte[] misaligned = Image.ToBytes().WriteU64(HeaderField.RefcountTableOffset, 8);
        Assert.Equal(HeaderField.RefcountTableOffset, Assert.Throws<Qcow2FormatException>(() => Find(misaligned)).HostOffset);
        byte[] large = Image.ToBytes().WriteU32(HeaderField.RefcountTableClusters, 4096);
        Assert.Equal(HeaderField.RefcountTableClusters, Assert.Throws<Qcow2FormatException>(() => Find(large)).HostOffset);
    }

    [Fact]
    public void RawImage_IsRefused() => Assert.Throws<Qcow2UnsupportedException>(() => ImageCheck.Open(new MemoryStream(new byte[512])));

    [Fact]
    public void HugeHole_CostsNothing()
    {
        using ImageCheck check = ImageCheck.Open(new EndlessStream(Image.ToBytes(), 1L << 46));
        Assert.Empty(check.Run());
        Assert.Equal(Image.FileLength, check.Summary.ImageEndOffset);
    }

    [Fact]
    public void Memory_IsBounded()
    {
        using ImageCheck huge = ImageCheck.Open(new EndlessStream(Image.ToBytes(), long.MaxValue - 511));
        Assert.Contains("MaxCheckBytes", Assert.Throws<Qcow2UnsupportedException>(() => huge.Run().Count()).Message, StringComparison.Ordinal);
        using ImageCheck small = ImageCheck.Open(new MemoryStream(Image.ToBytes()), new Qcow2OpenOptions { MaxCheckBytes = 8192 });
        Assert.Throws<Qcow2UnsupportedException>(() => small.Run().Count());
        using ImageCheck enough = ImageCheck.Open(new MemoryStream(Image.ToBytes()), new Qcow2OpenOptions { MaxCheckBytes = 8200 + (2 * 128) });
        Assert.Empty(enough.Run());
    }

    [Fact]
    public void Findings_AreLazyAndCanBeCancelled()
    {
        using ImageCheck check = ImageCheck.Open(new MemoryStream(Damaged("an L1 entry is cleared")));
        Assert.Throws<InvalidOperationException>(() => check.Summary);
        Assert.Single(check.Run().Take(1));
        Assert.Throws<InvalidOperationException>(() => check.Summary);
        Assert.Throws<OperationCanceledException>(() => check.Run(cancellationToken: new CancellationToken(canceled: true)).Count());
        Assert.Equal(2, check.Run().Count());
        Assert.Equal(2, check.Run().Count());
        Assert.Equal((0, 2), (check.Summary.Corruptions, check.Summary.Leaks));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stream_IsOwnedUnlessLeftOpen(bool leaveOpen)
    {
        EndlessStream stream = new(Image.ToBytes(), Image.FileLength);
        ImageCheck.Open(stream, new Qcow2OpenOptions { LeaveOpen = leaveOpen }).Dispose();
        Assert.Equal(!leaveOpen, stream.IsDisposed);
    }

    private static byte[] Damaged(string damage)
    {
        byte[] image = [.. Image.ToBytes(), .. new byte[Cluster]];
        long l2 = Image.L2EntryOffset(0);
        long RefcountOf(long hostOffset) => Image.RefcountBlockOffsets[0] + ((hostOffset >> ClusterBits) * 2);
        ulong Old(long position) => image.ReadU64(position);
        return damage switch
        {
            "a refcount of an unused cluster" => image.WriteU16(RefcountOf(Image.FileLength), 1),
            "a data cluster's refcount is 0" => image.WriteU16(RefcountOf(Image.HostOffsetOf(0)!.Value), 0),
            "a data cluster's refcount is 2" => image.WriteU16(RefcountOf(Image.HostOffsetOf(0)!.Value), 2),
            "an L2 entry is cleared" => image.WriteU64(l2, 0),
            "an L1 entry is cleared" => image.WriteU64(Image.L1EntryOffset(1), 0),
            "two entries share a cluster" => image.WriteU64(l2, Old(l2 + 8)),
            "data on the L1 table" => image.WriteU64(l2, Copied | (ulong)Image.L1Offset),
            "data on the L1 table, and the refcount says so" =>
                image.WriteU64(l2, Copied | (ulong)Image.L1Offset).WriteU16(RefcountOf(Image.L1Offset), 2),
            "COPIED is clear in L1" => image.WriteU64(Image.L1Offset, Old(Image.L1Offset) & ~Copied),
            "COPIED is clear in L2" => image.WriteU64(l2, Old(l2) & ~Copied),
            "COPIED is set for a compressed cluster" => image.WriteU64(l2 + 64, Old(l2 + 64) | Copied),
            "reserved bits in L1" => image.WriteU64(Image.L1Offset, Old(Image.L1Offset) | 4),
            "reserved bits in L2" => image.WriteU64(l2, Old(l2) | 4),
            "reserved bits in the refcount table" => image.WriteU64(Image.RefcountTableOffset, Old(Image.RefcountTableOffset) | 4),
            "a data cluster is misaligned" => image.WriteU64(l2, Old(l2) | 512),
            "a data cluster past the end" => image.WriteU64(l2, Copied | 0x7f_f000),
            "a refcount block is misaligned" => image.WriteU64(Image.RefcountTableOffset, Old(Image.RefcountTableOffset) | 512),
            "a refcount block past the end" => image.WriteU64(Image.RefcountTableOffset, 0x7f_f000),
            "two refcount blocks are one" => image.WriteU64(Image.RefcountTableOffset + 8, Old(Image.RefcountTableOffset)),
            "the snapshot table past the end" => SnapshotsOutside(image),
            "the snapshot table past the end, and a leak" => SnapshotsOutside(image.WriteU64(l2, 0)),
            "dirty and corrupt" => image.WriteU64(HeaderField.IncompatibleFeatures, 3),
            _ => throw new ArgumentException(damage),
        };
    }

    private static byte[] SnapshotsOutside(byte[] image) =>
        image.WriteU32(HeaderField.NbSnapshots, 1).WriteU64(HeaderField.SnapshotsOffset, 0x7f_f000);

    private static List<CheckFinding> Find(byte[] image)
    {
        using ImageCheck check = ImageCheck.Open(new MemoryStream(image));
        List<CheckFinding> findings = [.. check.Run()];
        Assert.Equal(
            (check.Summary.Corruptions, check.Summary.Leaks, check.Summary.Warnings),
            (findings.LongCount(f => f.Severity == CheckSeverity.Corruption), findings.LongCount(f => f.Severity == CheckSeverity.Leak), findings.LongCount(f => f.Severity == CheckSeverity.Warning)));
        return findings;
    }

    private static string[] Kinds(byte[] image) => [.. Find(image).Select(f => $"{f.Severity} {f.Kind}")];

    private sealed class Reports : IProgress<WorkProgress>
    {
        public List<WorkProgress> Values { get; } = [];

        public void Report(WorkProgress value) => Values.Add(value);
    }
}
