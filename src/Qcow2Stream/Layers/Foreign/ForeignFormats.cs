using DiscUtils;
using Qcow2Stream.Images;
using Shared;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>Which formats that images record are left to DiscUtils, and what it calls them.</summary>
internal static class ForeignFormats
{
    /// <summary>Finds the file extension under which DiscUtils knows a format.</summary>
    /// <param name="format">QEMU's name, untrusted text.</param>
    /// <param name="path">The image, for messages.</param>
    /// <exception cref="Qcow2UnsupportedException">Nothing that reads the format is registered.</exception>
    public static string ExtensionFor(string format, string? path)
    {
        (string extension, string? package) = format switch
        {
            "vpc" => ("vhd", "Vhd"),
            "vhdx" => ("vhdx", "Vhdx"),
            "vdi" => ("vdi", "Vdi"),
            "dmg" => ("dmg", "Dmg"),
            _ => (format, (string?)null),
        };
        if (!IsOurs(extension) && VirtualDiskManager.SupportedDiskFormats.Contains(extension, StringComparer.OrdinalIgnoreCase))
        {
            return extension;
        }

        string name = PrintableText.Escape(format);
        string hint = package is null
            ? "what is registered with DiscUtils.VirtualDiskManager"
            : $"add the package LTRData.DiscUtils.{package} and call "
                + $"DiscUtils.VirtualDiskManager.RegisterVirtualDiskTypes(typeof(DiscUtils.{package}.Disk).Assembly) before opening the chain";
        throw new Qcow2UnsupportedException(
            $"format {name}",
            package is null
                ? $"the format '{name}' is not handled; raw, qcow2, qcow and vmdk are, and {hint}"
                : $"the format '{name}' is not handled by itself; to read it, {hint}",
            path)
        {
            Hint = hint,
        };
    }

    /// <summary>
    /// Whether DiscUtils, once <see cref="Qcow2Disk.Register"/> was called, would hand the image back to this library: it does
    /// not mind the case. A backing file of format "QCOW2" would start a chain within the chain, and so would its own.
    /// </summary>
    private static bool IsOurs(string extension) =>
        extension.Equals(FormatNames.Qcow2, StringComparison.OrdinalIgnoreCase)
        || extension.Equals(FormatNames.Qcow1, StringComparison.OrdinalIgnoreCase);
}
