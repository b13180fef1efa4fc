using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Snapshots;

/// <summary>The maps in their written forms, pinned.</summary>
public sealed class MapSnapshots : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Images => [.. PinnedImages.Names, "ext4"];

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Images))]
    public Task Text_IsAsPinned(string image) => VerifyMap(image, (map, output) => map.WriteText(output));

    [Theory]
    [MemberData(nameof(Images))]
    public Task Json_IsAsPinned(string image) => VerifyMap(image, (map, output) => map.WithHostHoles().WriteJson(output));

    /// <summary>A range that starts and ends inside clusters cuts the extents there, and nothing else changes.</summary>
    [Theory]
    [MemberData(nameof(Images))]
    public Task TextOfARange_IsAsPinned(string image) =>
        VerifyMap(image, (map, output) => map.WriteText(output), start: 5_000, length: 30_001);

    private Task VerifyMap(string image, Action<MapEnumerator, Stream> write, long start = 0, long length = long.MaxValue)
    {
        using Qcow2ChainStream disk = PinnedImages.Open(image, _scratch);
        MemoryStream output = new();
        write(disk.Chain.Map(start, length), output);
        return Verifier.Verify(Encoding.UTF8.GetString(output.ToArray())).UseParameters(image);
    }
}
