using Qcow2Stream;

namespace ReadmeExamples;

/// <summary>Reads the first sector of a disk on a web server.</summary>
internal static class OpenFromServer
{
    public static async Task Run(Uri address)
    {
        using Qcow2ChainStream disk = await Qcow2ChainStream.OpenAsync(address);
        byte[] bootSector = new byte[512];
        await disk.ReadExactlyAsync(bootSector);
        Console.WriteLine($"{disk.Length} bytes, boot signature {bootSector[510]:x2}{bootSector[511]:x2}");
    }
}
