namespace Qcow2Stream.Tests.Translation;

/// <summary>A file that remembers how much each read asked for; for images too large to hold in memory.</summary>
internal sealed class RecordingFile(string path) : FileStream(path, FileMode.Open, FileAccess.Read)
{
    public List<int> Reads { get; } = [];

    public override int Read(Span<byte> buffer)
    {
        Reads.Add(buffer.Length);
        return base.Read(buffer);
    }
}
