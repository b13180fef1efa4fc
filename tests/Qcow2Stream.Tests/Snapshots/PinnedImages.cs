using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Snapshots;

/// <summary>The committed images, opened the way a user would.</summary>
internal static class PinnedImages
{
    public const string Passphrase = "open sesame";

    /// <summary>Every image that can be pinned as a whole: see Images/README.md for what each is for.</summary>
    public static TheoryData<string> Names { get; } =
    [
        "v2", "v3-512", "v3-64k", "v3-2m", "zlib", "zstd", "zero", "chain-3", "no-format-qcow2", "no-format-raw",
        "empty", "odd-size", "extended-l2", "data-file", "snapshots", "bitmaps", "aes", "luks",
    ];

    /// <summary>Whether qemu-img needs the passphrase to look at the image.</summary>
    public static bool IsEncrypted(string name) => name is "aes" or "luks";

    public static string PathOf(string name, TempDirectory scratch) => name is "v3-2m" or "luks"
        ? Repository.UnpackImage(name + ".qcow2", scratch)
        : Repository.Image(name + ".qcow2");

    public static Qcow2ChainStream Open(string name, TempDirectory scratch) =>
        new(PathOf(name, scratch), new Qcow2OpenOptions { Passphrase = _ => Encoding.UTF8.GetBytes(Passphrase) });
}
