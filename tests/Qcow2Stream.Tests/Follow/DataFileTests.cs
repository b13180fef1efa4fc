using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Follow;

/// <summary>The external data file is a name in the image too, and goes through the same gate.</summary>
public sealed class DataFileTests : IDisposable
{
    private const int ClusterSize = 4096;

    private readonly TempDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("/etc/passwd", "is not opened: it")]
    [InlineData("../data.raw", "lies outside")]
    [InlineData("missing.raw", "it does not exist")]
    [InlineData("a\nb", "control character")]
    [InlineData("top.qcow2", "the chain loops: that file is already part of it")]
    public void NameThatLeadsElsewhere_IsRefused(string name, string reason)
    {
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Write(name)));
        Assert.Contains("data file '", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(name, error.File.Name);
    }

    [Fact]
    public void ImageFromAStream_OpensNoDataFile()
    {
        byte[] image = File.ReadAllBytes(Write("data.raw"));
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(new MemoryStream(image)));
        Assert.Contains("no file that an image names is opened (to allow it: Follow = FollowPolicy.SameDirectory)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ResolverIsToldWhatItIsFor()
    {
        List<NamedFile> asked = [];
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(File.ReadAllBytes(Write("nbd:data"))), new Qcow2OpenOptions
        {
            Follow = FollowPolicy.FromResolver(file =>
            {
                asked.Add(file);
                return new MemoryStream(GuestDisk.Filled(ClusterSize, 0x44));
            }),
        });
        Assert.Equal([new NamedFile { Kind = NamedFileKind.DataFile, Name = "nbd:data", Format = "raw", ImagePath = null }], asked);
        Assert.Equal(GuestDisk.Filled(ClusterSize, 0x44), chain.ReadRange(0, ClusterSize));
    }

    [Fact]
    public void GivenDataFile_TakesThePlaceOfTheRecordedName()
    {
        string given = _files.Write("given.raw", GuestDisk.Filled(ClusterSize, 0x55));
        using Qcow2Chain chain = Qcow2Chain.Open(Write("/etc/passwd"), new Qcow2OpenOptions { DataFile = given });
        Assert.Equal(GuestDisk.Filled(ClusterSize, 0x55), chain.ReadRange(0, ClusterSize));
        MapExtent data = chain.Map().First();
        Assert.Equal((MapKind.Data, given, 0L), (data.Kind, data.HostPath, data.HostOffset));
        Assert.Equal(given, chain.Layers[0].DataPath);
    }

    /// <summary>Else a map's offsets would be those of another layer's tables, and a loop would not be found.</summary>
    [Fact]
    public void DataFileThatIsALayer_IsRefusedWhoeverNamesIt()
    {
        string top = Write("/etc/passwd");
        NamedFileException given = Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(top, new Qcow2OpenOptions { DataFile = top }));
        Assert.Contains("data file '", given.Message, StringComparison.Ordinal);
        Assert.Contains("the chain loops: that file is already part of it", given.Message, StringComparison.Ordinal);

        // Two layers with one data file, and a data file that is a backing file too.
        _files.Write("data.raw", GuestDisk.Filled(4 * ClusterSize, 0x66));
        File.Move(Write("data.raw"), _files.File("base.qcow2"));
        Assert.Contains(
            "data file 'data.raw' is not opened: the chain loops",
            Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Write("data.raw", "base.qcow2", "qcow2"))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "backing file 'data.raw' is not opened: the chain loops",
            Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Write("data.raw", "data.raw", "raw"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ImageThatNamesNone_SaysHowToGiveIt()
    {
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Write(name: null)));
        Assert.Contains(nameof(Qcow2OpenOptions.DataFile), error.Message, StringComparison.Ordinal);
    }

    /// <summary>Host and guest offsets must be the same, as QEMU demands; else a cluster of the host's choice would be read.</summary>
    [Fact]
    public void OffsetThatIsNotTheGuests_IsAnError()
    {
        string path = Write("data.raw");
        _files.Write("data.raw", GuestDisk.Filled(4 * ClusterSize, 0x66));
        byte[] image = File.ReadAllBytes(path);
        ulong l1 = image.ReadU64(HeaderField.L1TableOffset);
        int l2 = (int)(image.ReadU64((int)l1) & 0x00FF_FFFF_FFFF_FE00);
        image.WriteU64(l2 + 8, (1UL << 63) | (2 * ClusterSize));
        File.WriteAllBytes(path, image);
        using Qcow2Chain chain = Qcow2Chain.Open(path);
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => chain.ReadRange(ClusterSize, 1));
        Assert.Contains("in the external data file is not the guest's offset 0x1000", error.Message, StringComparison.Ordinal);
        Assert.Equal(0x66, chain.ReadRange(0, 1)[0]);
    }

    /// <summary>
    /// At the data file's start COPIED distinguishes an offset of 0 from none; but not beside the zero flag, where QEMU takes 0
    /// for no cluster at all.
    /// </summary>
    [Theory]
    [InlineData(1UL << 63, MapKind.Data, true)]
    [InlineData(0UL, MapKind.Unallocated, false)]
    [InlineData((1UL << 63) | 1, MapKind.Zero, false)]
    [InlineData(1UL, MapKind.Zero, false)]
    public void OffsetZero_IsAnOffsetOnlyForData(ulong entry, MapKind kind, bool hasOffset)
    {
        string path = Write("data.raw");
        _files.Write("data.raw", GuestDisk.Filled(4 * ClusterSize, 0x66));
        byte[] image = File.ReadAllBytes(path);
        int l2 = (int)(image.ReadU64((int)image.ReadU64(HeaderField.L1TableOffset)) & 0x00FF_FFFF_FFFF_FE00);
        image.WriteU64(l2, entry);
        File.WriteAllBytes(path, image);
        using Qcow2Chain chain = Qcow2Chain.Open(path);
        MapExtent first = chain.Map().First();
        Assert.Equal((kind, hasOffset ? 0L : null), (first.Kind, first.HostOffset));
        Assert.Equal(kind == MapKind.Data ? 0x66 : 0, chain.ReadRange(0, 1)[0]);
    }

    /// <summary>A disk of four clusters, the first of them in a data file of that name.</summary>
    private string Write(string? name, string? backingFile = null, string? backingFormat = null)
    {
        Qcow2Image image = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = 4 * ClusterSize,
            ExternalData = true,
            BackingFile = backingFile,
            BackingFormat = backingFormat,
            Extensions = name is null ? [] : [new HeaderExtension(HeaderExtension.ExternalDataFileName, System.Text.Encoding.UTF8.GetBytes(name))],
            Clusters = [GuestClusters.Data(0, 0x11)],
        }.Build();
        return _files.Write("top.qcow2", image.ToBytes());
    }
}
