using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Snapshots;

/// <summary>The committed images, opened the way a user would.</summary>
internal static class PinnedImages
{
    /// <summary>Every image that can be pinned as a whole: see Images/README.md for what each is for.</summary>
    public static TheoryData<string> Names { get; } =
    [
        "v2", "v3-512", "v3-64k", "v3-2m", "zlib", "zstd", "zero", "chain-3", "no-format-qcow2", "no-format-raw",
        "empty", "odd-size",
    ];

    public static Qcow2ChainStream Open(string name, TempDirectory scratch) =>
        new(name == "v3-2m" ? Repository.UnpackImage("v3-2m.qcow2", scratch) : Repository.Image(name + ".qcow2"));
}
