namespace Qcow2Stream.FileSystems.Entries;

/// <summary>Content that a file system keeps in its tables, so that it has been read already.</summary>
/// <param name="content">The content; what follows <paramref name="length"/> bytes is not the file's.</param>
/// <param name="length">The file's size in bytes.</param>
internal sealed class InlineContent(byte[] content, long length) : FileContent(length)
{
    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        content.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
        return buffer.Length;
    }
}
