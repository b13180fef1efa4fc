using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Lenient;

/// <summary>Damaged images read as QEMU reads them, each spot reported; strictly they are errors.</summary>
public sealed class LenientTests : IDisposable
{
    private const int ClusterSize = 4096;

    private readonly TempDirectory _scratch = new();
    private readonly List<ImageDamage> _damages = [];

    private Qcow2OpenOptions Options => new() { Lenient = true, OnDamage = _damages.Add };

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void ClusterPastTheEnd_ReadsAsZerosAndIsReported()
    {
        Qcow2Image image = Build();
        byte[] cut = image.ToBytes()[..(int)image.HostOffsetOf(1)!];
        Qcow2FormatException strict = Assert.Throws<Qcow2FormatException>(() => Strict(cut).ReadRange(ClusterSize, 512));

        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(cut), Options);
        Assert.Equal(new byte[512], chain.ReadRange(ClusterSize, 512));
        ImageDamage damage = Assert.Single(_damages);
        Assert.Equal((strict.Message, strict.GuestOffset, strict.HostOffset), (damage.Reason, damage.GuestOffset, damage.HostOffset));
        Assert.Equal(GuestDisk.Filled(512, 0x11), chain.ReadRange(0, 512));
    }

    [Fact]
    public void L2TablePastTheEnd_IsAnEmptyTable()
    {
        Qcow2Image image = Build();
        byte[] bytes = image.ToBytes();
        bytes.WriteU64((int)image.L1EntryOffset(0), (1UL << 63) | 0x10_0000);
        Assert.Throws<Qcow2FormatException>(() => Strict(bytes).ReadRange(0, 512));

        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(bytes), Options);
        MapExtent all = Assert.Single(chain.Map());
        Assert.Equal((0L, chain.Length, MapKind.Unallocated), (all.Start, all.Length, all.Kind));
        Assert.Contains("the file ends inside a table", Assert.Single(_damages).Reason, StringComparison.Ordinal);
    }

    /// <summary>What QEMU refuses too is also refused here.</summary>
    [Fact]
    public void MisalignedCluster_StaysAnError()
    {
        Qcow2Image image = Build();
        byte[] bytes = image.ToBytes();
        bytes.WriteU64((int)image.L2EntryOffset(0), 0x200 | (1UL << 63) | 0x10_0000);
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(bytes), Options);
        Assert.Throws<Qcow2FormatException>(() => chain.ReadRange(0, 512));
        Assert.Empty(_damages);
    }

    [Fact]
    public void WithoutAListener_LenientStaysSilent()
    {
        Qcow2Image image = Build();
        using Qcow2Chain chain = Qcow2Chain.Open(
            new MemoryStream(image.ToBytes()[..(int)image.HostOffsetOf(1)!]), new Qcow2OpenOptions { Lenient = true });
        Assert.Equal(new byte[512], chain.ReadRange(ClusterSize, 512));
    }

    /// <summary>Cut at every sector after its header, an image reads as QEMU reads it.</summary>
    [QemuTheory]
    [InlineData("zero.qcow2")]
    [InlineData("v3-512.qcow2")]
    [InlineData("odd-size.qcow2")]
    [InlineData("extended-l2.qcow2")]
    public async Task CutImage_ReadsAsInQemu(string name)
    {
        byte[] image = await File.ReadAllBytesAsync(Repository.Image(name));
        int compared = 0;
        for (int length = image.Length - 512; length > 1024; length -= Math.Max(512, image.Length / 64 / 512 * 512))
        {
            string path = _scratch.Write("cut.qcow2", image.AsSpan(0, length));
            string raw = _scratch.File("cut.raw");
            QemuResult converted = await Qemu.ImgRaw("convert", "-O", "raw", path, raw);
            if (converted.ExitCode != 0)
            {
                // A compressed cluster that is gone, and a missing refcount table, are errors to QEMU as well.
                Assert.True(Record.Exception(() => ReadLeniently(path)) is null or Qcow2Exception);
                continue;
            }

            Assert.Equal(await File.ReadAllBytesAsync(raw), ReadLeniently(path));
            compared++;
        }

        Assert.True(compared > 5, $"only {compared} lengths were compared");
    }

    private byte[] ReadLeniently(string path)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(path, Options);
        return chain.ReadWholeDisk();
    }

    private static Qcow2Chain Strict(byte[] image) => Qcow2Chain.Open(new MemoryStream(image));

    private static Qcow2Image Build() => new Qcow2Builder
    {
        ClusterBits = 12,
        Size = 8 * ClusterSize,
        Clusters = [GuestClusters.Data(0, 0x11), GuestClusters.Data(1, 0x22)],
    }.Build();
}
