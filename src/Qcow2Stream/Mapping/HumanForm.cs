using System.Text;
using Qcow2Stream.Text;
using Shared;

namespace Qcow2Stream.Mapping;

/// <summary>The columns of <c>qemu-img map</c>, which have no place for what can't be read as it is in its file.</summary>
internal static class HumanForm
{
    /// <exception cref="Qcow2UnsupportedException">Compressed or encrypted data was met, or data without a known place.</exception>
    public static void Write(IEnumerable<MapExtent> map, Utf8Output text)
    {
        text.Text("Offset          Length          Mapped to       File\n"u8);
        foreach (MapExtent extent in map)
        {
            string? opaque = extent.Kind == MapKind.Compressed ? "compressed"
                : extent.Kind == MapKind.Data && extent.IsEncrypted ? "encrypted" : null;
            if (opaque is not null)
            {
                throw new Qcow2UnsupportedException(
                    $"{opaque} clusters in the human form",
                    $"the human form of a map can't show the {opaque} data at guest offset {extent.Start}; the text and JSON forms can",
                    extent.HostPath);
            }

            if (extent.Kind == MapKind.Data)
            {
                long position = extent.HostOffset ?? throw new Qcow2UnsupportedException(
                    "data without a place in the human form",
                    $"the human form of a map can't show the data at guest offset {extent.Start}, whose place in its file is not known; the text and JSON forms can");
                text.Hexadecimal(extent.Start).Hexadecimal(extent.Length).Hexadecimal(position)
                    .Text(Encoding.UTF8.GetBytes(PrintableText.Escape(extent.HostPath ?? ""))).Text("\n"u8);
            }
        }
    }
}
