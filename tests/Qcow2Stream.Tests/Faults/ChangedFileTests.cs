using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Faults;

/// <summary>Files of the host that another program changes while they are open.</summary>
public sealed class ChangedFileTests : IDisposable
{
    private const int ClusterSize = 4096;

    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>At every length that the file may be cut to: what is read is right or an error, sync and async, and as often as one asks.</summary>
    [Fact]
    public async Task CutFile_GivesRightBytesOrAnError()
    {
        Qcow2Image image = Sample();
        byte[] content = image.ToBytes();
        byte[] expected = image.ExpectedContent();
        string path = _scratch.Write("image.qcow2", content);
        int failures = 0;
        for (int length = content.Length - 1; length > 0; length -= 1021)
        {
            using Qcow2Chain chain = Qcow2Chain.Open(path);
            Resize(path, length);
            for (int round = 0; round < 2; round++)
            {
                failures += await CheckClustersAsync(chain, path, expected);
            }

            await File.WriteAllBytesAsync(path, content);

            // It is whole again, and so is what is read.
            Assert.Equal(expected, chain.ReadWholeDisk());
        }

        Assert.NotEqual(0, failures);
    }

    [Fact]
    public void CutRawBackingFile_IsAnError()
    {
        byte[] below = GuestDisk.Filled(3 * ClusterSize, 0x3C);
        string baseFile = _scratch.Write("base.raw", below);
        new Qcow2Builder { Size = below.Length, BackingFile = "base.raw", BackingFormat = "raw" }.Build().WriteTo(_scratch.File("top.qcow2"));
        using Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top.qcow2"));

        Resize(baseFile, ClusterSize + 700);

        Assert.Equal(below[..ClusterSize], chain.ReadRange(0, ClusterSize));
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => chain.ReadWholeDisk());
        Assert.Equal((baseFile, (long?)(ClusterSize + 700)), (error.ImagePath, error.HostOffset));
    }

    /// <summary>What is open stays open: the file that was there, whatever is there now.</summary>
    [UnixFact]
    public void DeletedOrReplacedFile_IsStillReadAsItWas()
    {
        string path = SampleDisk.WriteChain(_scratch, out byte[] expected);
        using Qcow2Chain chain = Qcow2Chain.Open(path, new Qcow2OpenOptions { LayerCacheBytes = 0 });

        File.Delete(path);
        Assert.Equal(expected, chain.ReadWholeDisk());

        string other = _scratch.Write("other", new byte[100]);
        File.Move(other, path);
        File.Move(path, _scratch.File("base.qcow2"), overwrite: true);
        Assert.Equal(expected, chain.ReadWholeDisk());
        Assert.NotEmpty(chain.Map());
    }

    /// <summary>A cluster that was appended after the image was opened, and the table entry for it, which was not read yet.</summary>
    [Fact]
    public async Task GrownFile_IsReadAsFarAsItGoesNow()
    {
        Qcow2Image image = Sample();
        byte[] content = image.ToBytes();
        int end = (content.Length + ClusterSize - 1) & -ClusterSize;
        string path = _scratch.Write("image.qcow2", content);
        using Qcow2Chain chain = Qcow2Chain.Open(path);

        content = [.. content, .. new byte[end - content.Length], .. GuestDisk.Filled(ClusterSize, 0x77)];
        content.WriteU64(image.L2EntryOffset(3), (1UL << 63) + (uint)end);
        await File.WriteAllBytesAsync(path, content);

        Assert.Equal(GuestDisk.Filled(ClusterSize, 0x77), chain.ReadRange(3 * ClusterSize, ClusterSize));
        byte[] disk = image.ExpectedContent();
        disk.AsSpan(3 * ClusterSize, ClusterSize).Fill(0x77);
        Assert.Equal(disk, chain.ReadWholeDisk());
    }

    private static async Task<int> CheckClustersAsync(Qcow2Chain chain, string path, byte[] expected)
    {
        int failures = 0;
        byte[] buffer = new byte[ClusterSize];
        for (int start = 0; start < expected.Length; start += ClusterSize)
        {
            foreach (bool async in (bool[])[false, true])
            {
                try
                {
                    int read = async ? await chain.ReadAtAsync(start, buffer) : chain.ReadAt(start, buffer);
                    Assert.Equal(expected.AsSpan(start, ClusterSize), buffer.AsSpan(0, read));
                }
                catch (Qcow2FormatException e)
                {
                    failures++;
                    Assert.Equal(path, e.ImagePath);
                }
            }
        }

        return failures;
    }

    private static Qcow2Image Sample() => new Qcow2Builder
    {
        ClusterBits = 12,
        Size = 10 * ClusterSize,
        Clusters =
        [
            GuestClusters.Data(0, 0x10, count: 2),
            GuestClusters.Compressed(4, 0x44, count: 2),
            GuestClusters.Zero(6),
            GuestClusters.Data(7, 0x20, count: 2),
        ],
    }.Build();

    private static void Resize(string path, long length)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(length);
    }
}
