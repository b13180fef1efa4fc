using System.Globalization;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>What QEMU makes of an encrypted file.</summary>
internal static class LuksByQemu
{
    /// <summary>The arguments that give QEMU the passphrase of the fixtures as the secret <c>s</c>.</summary>
    public static string[] Secret { get; } = SecretOf("s", LuksFixture.Passphrase);

    public static string[] SecretOf(string id, byte[] passphrase) =>
        ["--object", $"secret,id={id},format=base64,data={Convert.ToBase64String(passphrase)}"];

    /// <summary>The arguments that name a raw LUKS file.</summary>
    public static string[] ImageOf(string file) => ["--image-opts", $"driver=luks,key-secret=s,file.filename={file}"];

    /// <summary>The plaintext of a raw LUKS file.</summary>
    public static async Task<byte[]> Read(string file, TempDirectory scratch)
    {
        string plain = scratch.File("plain.raw");
        await Qemu.Img(["convert", .. Secret, .. ImageOf(file), "-O", "raw", plain]);
        return await File.ReadAllBytesAsync(plain);
    }

    /// <summary>
    /// Runs a command of qemu-img that writes key slots. It measures PBKDF2 first, which fails by chance where the
    /// system counts processor time in coarse steps.
    /// </summary>
    public static Task WriteKeySlots(params string[] arguments) => WriteKeySlotsIn(Environment.CurrentDirectory, arguments);

    /// <inheritdoc cref="WriteKeySlots"/>
    public static async Task WriteKeySlotsIn(string workingDirectory, params string[] arguments)
    {
        for (int attempt = 1; ; attempt++)
        {
            QemuResult result = await Qemu.ImgRawIn(workingDirectory, arguments);
            if (result.ExitCode == 0)
            {
                return;
            }

            if (!result.Error.Contains("Unable to get accurate CPU usage", StringComparison.Ordinal) || attempt == 100)
            {
                throw new InvalidOperationException(
                    string.Create(CultureInfo.InvariantCulture, $"qemu-img {string.Join(' ', arguments)}: {result.Error} ({attempt} attempts)"));
            }
        }
    }
}
