using System.Text;

namespace Qcow2Stream.Images;

/// <summary>What an image records of its backing file.</summary>
/// <param name="Name">The name's bytes as they are in the image; at least one.</param>
/// <param name="Format">The format's name; null if none is recorded.</param>
internal sealed record BackingReference(ReadOnlyMemory<byte> Name, string? Format)
{
    /// <summary>The name as text; bytes that are not UTF-8 show as U+FFFD.</summary>
    public string Text => Encoding.UTF8.GetString(Name.Span);

    public static BackingReference? Of(Qcow2Header header) =>
        header.BackingFileName.IsEmpty ? null : new BackingReference(header.BackingFileName, header.BackingFormat);
}
