using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>The content of a file as a stream of DiscUtils gives it, for one user.</summary>
internal sealed class DiscUtilsContent(BudgetedVolume volume, Stream content, long length) : FileContent(length)
{
    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        using BudgetedVolume.Step step = volume.Begin(buffer.Length);
        if (content.Position != offset)
        {
            content.Position = offset;
        }

        return content.Read(buffer);
    }
}
