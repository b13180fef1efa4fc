using DiscUtils.Streams;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>A host file with a cursor, as DiscUtils needs it, whose reads are counted.</summary>
/// <param name="file">The file.</param>
/// <param name="owner">Counts the reads.</param>
/// <param name="ownsFile">Whether the file is closed with the stream.</param>
internal sealed class ForeignFileStream(HostFile file, ForeignFileSystem owner, bool ownsFile) : SparseStream.ReadOnlySparseStream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override long Length => file.GetLength();

    public override long Position { get; set; }

    public override IEnumerable<StreamExtent> Extents => [new StreamExtent(0, Length)];

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        CheckRead(buffer.Length);
        int read = file.ReadAt(Position, buffer);
        Position += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        CheckRead(buffer.Length);
        int read = await file.ReadAtAsync(Position, buffer, cancellationToken).ConfigureAwait(false);
        Position += read;
        return read;
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => Position,
        _ => Length,
    };

    protected override void Dispose(bool disposing)
    {
        if (disposing && ownsFile)
        {
            owner.Forget(file);
            file.Dispose();
        }

        base.Dispose(disposing);
    }

    private void CheckRead(int length)
    {
        owner.CountRead(file, Position, length);
        if (Position < 0 || Position > Length)
        {
            throw new Qcow2FormatException("a table or data of the image lies outside its file", file.Path, hostOffset: Position);
        }
    }
}
