using System.Globalization;
using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>The volumes that Images/Luks/make-luks.sh made, by cryptsetup and qemu-img.</summary>
internal static class LuksImages
{
    public const int DataLength = 40960;

    /// <summary>What the script has put into each of them.</summary>
    public static byte[] Data { get; } = Encoding.ASCII.GetBytes(string.Concat(
        Enumerable.Range(1, 2000).Select(i => string.Create(CultureInfo.InvariantCulture, $"line {i:d6} of the volume\n")))[..DataLength]);

    /// <summary>The whole file.</summary>
    public static byte[] Read(string name)
    {
        using var chain = Qcow2Chain.Open(Repository.Image(Path.Combine("Luks", name + ".qcow2")));
        byte[] bytes = new byte[chain.Length];
        Assert.Equal(bytes.Length, chain.ReadAt(0, bytes));
        return bytes;
    }

    public static LuksVolume Open(byte[] file, string? passphrase = "open sesame", LuksOptions? options = null) => LuksVolume.Open(
        HostFile.FromStream(new MemoryStream(file, writable: false)),
        (options ?? new LuksOptions()) with { Passphrase = passphrase is null ? null : _ => Encoding.UTF8.GetBytes(passphrase) });

    public static byte[] ReadAll(LuksVolume volume)
    {
        byte[] bytes = new byte[volume.Length];
        Assert.Equal(bytes.Length, volume.ReadAt(0, bytes));
        return bytes;
    }
}
