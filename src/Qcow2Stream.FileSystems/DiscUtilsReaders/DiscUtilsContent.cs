using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>The content of a file as a stream of DiscUtils gives it, for one user.</summary>
internal sealed class DiscUtilsContent(Stream content, long length) : FileContent(length)
{
    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        if (content.Position != offset)
        {
            content.Position = offset;
        }

        return content.Read(buffer);
    }
}
