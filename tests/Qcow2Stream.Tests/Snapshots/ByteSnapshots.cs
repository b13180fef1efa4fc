using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Snapshots;

/// <summary>The bytes that a guest would see, pinned.</summary>
public sealed class ByteSnapshots : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Images => PinnedImages.Names;

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Images))]
    public Task WholeDisk_ReadsAsPinned(string image)
    {
        using Qcow2ChainStream disk = PinnedImages.Open(image, _scratch);
        return Verifier.Verify(HexDump.Of(disk, 0, (int)disk.Length)).UseParameters(image);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public Task OddOffsetsAndLengths_ReadAsPinned(string image)
    {
        using Qcow2ChainStream disk = PinnedImages.Open(image, _scratch);
        StringBuilder text = new();
        foreach ((long offset, int length) in OddRanges(disk.Length))
        {
            byte[] buffer = new byte[length];
            int read = disk.Chain.ReadAt(offset, buffer);
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"# {length} bytes at {offset}: {read} read\n");
            text.Append(HexDump.Of(buffer.AsSpan(0, read), offset));
        }

        return Verifier.Verify(text.ToString()).UseParameters(image);
    }

    [Fact]
    public Task SmallestClusters_ReadAsPinnedToTheByte()
    {
        using Qcow2ChainStream disk = PinnedImages.Open("v3-512", _scratch);
        MemoryStream bytes = new();
        disk.CopyTo(bytes);
        bytes.Position = 0;
        return Verifier.Verify(bytes, "bin");
    }

    /// <summary>Ranges that start and end inside sectors, cross the borders of clusters and tables, and reach over the end.</summary>
    private static IEnumerable<(long Offset, int Length)> OddRanges(long diskLength)
    {
        yield return (0, 1);
        yield return (511, 2);
        yield return (4095, 3);
        yield return (32_767, 33);
        yield return (65_535, 514);
        yield return (Math.Max(0, (diskLength / 2) - 7), 77);
        yield return (Math.Max(0, diskLength - 13), 40);
        yield return (diskLength, 5);
        yield return (diskLength + 1_000_000_007, 5);
    }
}
