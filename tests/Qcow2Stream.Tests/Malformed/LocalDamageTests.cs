using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>Damage of what lies beside the disk fails what needs it, and nothing else.</summary>
public sealed class LocalDamageTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>The L1 table of one snapshot is misplaced: the disk, the others, and the list are as they were.</summary>
    [Fact]
    public void BrokenSnapshot_LeavesTheDiskAndTheOtherSnapshots()
    {
        byte[] image = File.ReadAllBytes(Repository.Image("snapshots.qcow2"));
        using Qcow2Chain sound = Qcow2Chain.Open(Repository.Image("snapshots.qcow2"));
        image.WriteU64((long)image.ReadU64(HeaderField.SnapshotsOffset), 0x201);
        string path = _scratch.Write("snapshot.qcow2", image);

        using Qcow2Chain chain = Qcow2Chain.Open(path);
        Assert.Equal(sound.ReadWholeDisk(), chain.ReadWholeDisk());
        Assert.Equal(["first", "second", "third one"], chain.GetSnapshots().Select(s => s.Name));
        Assert.Equal(3, ImageInfo.Read(path).Snapshots.Count);
        foreach (string name in (string[])["second", "third one"])
        {
            Assert.Equal(ReadSnapshot(Repository.Image("snapshots.qcow2"), name), ReadSnapshot(path, name));
            Assert.Equal(
                sound.GetChanges(DiskPoint.Snapshot(name), DiskPoint.Active).Select(e => e.Length),
                chain.GetChanges(DiskPoint.Snapshot(name), DiskPoint.Active).Select(e => e.Length));
        }

        Assert.Contains("snapshot 'first'", Assert.Throws<Qcow2FormatException>(() => ReadSnapshot(path, "first")).Message, StringComparison.Ordinal);
        Assert.Throws<Qcow2FormatException>(() => chain.GetChanges(DiskPoint.Snapshot("first"), DiskPoint.Active).Any());
    }

    /// <summary>The table cannot be read at all, and no more can the directory of bitmaps.</summary>
    [Theory]
    [InlineData("snapshots")]
    [InlineData("bitmaps")]
    public async Task TableOutsideTheFile_LeavesTheDiskItsMapAndWhatIsToldOfIt(string name)
    {
        byte[] image = File.ReadAllBytes(Repository.Image(name + ".qcow2"));
        if (name == "snapshots")
        {
            image.WriteU64(HeaderField.SnapshotsOffset, 1UL << 40);
        }
        else
        {
            image.WriteU64(image.AsSpan().IndexOf<byte>([0x23, 0x85, 0x28, 0x75, 0, 0, 0, 24]) + 24, 1UL << 40);
        }

        string path = _scratch.Write("table.qcow2", image);
        using Qcow2Chain sound = Qcow2Chain.Open(Repository.Image(name + ".qcow2"));
        using Qcow2Chain chain = Qcow2Chain.Open(path);
        Assert.Equal(sound.ReadWholeDisk(), chain.ReadWholeDisk());
        Assert.Equal(sound.Map().Select(e => (e.Start, e.HostOffset)), chain.Map().Select(e => (e.Start, e.HostOffset)));
        Qcow2FormatException error = name == "snapshots"
            ? await Assert.ThrowsAsync<Qcow2FormatException>(() => chain.GetSnapshotsAsync())
            : await Assert.ThrowsAsync<Qcow2FormatException>(() => chain.GetBitmapsAsync());
        Assert.Equal((path, (long?)1L << 40), (error.ImagePath, error.HostOffset));

        // What reports everything reports this too, and continues, as does a check.
        InspectionStep[] steps = [.. ImageInspection.Inspect(path)];
        Assert.Contains(steps, step => step is { Stage: InspectionStage.Image, Error: Qcow2FormatException });
        Assert.Contains(steps, step => step is { Stage: InspectionStage.Map, Text: "no damage; the data itself was not read" });
        using ImageCheck check = ImageCheck.Open(path);
        Assert.Contains(check.Run(), finding => finding.Severity is CheckSeverity.Error or CheckSeverity.Corruption);
    }

    /// <summary>Method 2 with nothing that says where its header is: QEMU crashes on it.</summary>
    [Fact]
    public async Task EncryptionWithoutItsExtension_IsToldByEverythingThatNeedsIt()
    {
        byte[] image = File.ReadAllBytes(Repository.Image("zero.qcow2")).WriteU32(HeaderField.CryptMethod, 2);
        string path = _scratch.Write("luks.qcow2", image);
        using Qcow2Chain chain = Qcow2Chain.Open(path, new Qcow2OpenOptions { Passphrase = _ => [1] });
        using Qcow2Chain sound = Qcow2Chain.Open(Repository.Image("zero.qcow2"));
        Assert.Equal(sound.Map().Select(e => e with { HostPath = null, IsEncrypted = false }), chain.Map().Select(e => e with { HostPath = null, IsEncrypted = false }));
        Assert.Throws<Qcow2FormatException>(() => chain.ReadAt(0, new byte[1]));
        await Assert.ThrowsAsync<Qcow2FormatException>(() => chain.CopyToAsync(0, chain.Length, Stream.Null));
        Assert.Contains("encrypt", HeaderDump.Read(path).ToString() + string.Join('\n', ImageInspection.Inspect(path)), StringComparison.Ordinal);
        using ImageCheck check = ImageCheck.Open(path);
        Assert.NotEmpty(check.Run());
    }

    /// <summary>An error about a range says which, whatever asked for it.</summary>
    [Fact]
    public async Task DamagedRange_IsNamedByEveryUse()
    {
        const int ClusterSize = 4096;
        Qcow2Image image = new Qcow2Builder { ClusterBits = 12, Size = 40 * ClusterSize, Clusters = [GuestClusters.Data(0, 7, count: 40)] }.Build();
        byte[] bytes = image.ToBytes().WriteU64(image.L2EntryOffset(25), 1UL << 40);
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(bytes));
        using Qcow2ChainStream stream = chain.OpenStream();
        byte[] buffer = new byte[chain.Length];
        List<Exception?> errors =
        [
            Record.Exception(() => chain.ReadAt(5, buffer)),
            await Record.ExceptionAsync(async () => await chain.ReadAtAsync(5, buffer)),
            Record.Exception(() => stream.CopyTo(Stream.Null)),
            await Record.ExceptionAsync(() => chain.CopyToAsync(0, chain.Length, Stream.Null)),
            Record.Exception(() => chain.Map().Count()),
            Record.Exception(() => chain.Map().WriteText(Stream.Null)),
            Record.Exception(() => stream.Extents.Count()),
        ];
        Assert.All(errors, e =>
        {
            Qcow2FormatException error = Assert.IsType<Qcow2FormatException>(e);
            Assert.Equal((25L * ClusterSize, image.L2EntryOffset(25)), (error.GuestOffset, error.HostOffset));
            Assert.Contains($"guest offset {25 * ClusterSize}", error.Message, StringComparison.Ordinal);
        });
    }

    private static byte[] ReadSnapshot(string path, string name)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(path, new Qcow2OpenOptions { Snapshot = name });
        return chain.ReadWholeDisk();
    }
}
