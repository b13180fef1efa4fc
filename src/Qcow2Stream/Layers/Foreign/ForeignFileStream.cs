using System.Buffers.Binary;
using DiscUtils.Streams;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>A host file with a cursor, as DiscUtils needs it, whose reads are counted.</summary>
/// <param name="file">The file.</param>
/// <param name="owner">Counts the reads.</param>
/// <param name="ownsFile">Whether the file is closed with the stream.</param>
/// <param name="view">What of the file is seen; positions count from its start.</param>
internal sealed class ForeignFileStream(HostFile file, ForeignFileSystem owner, bool ownsFile, FileView view) : SparseStream.ReadOnlySparseStream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override long Length => view.Length ?? file.GetLength();

    public override long Position { get; set; }

    public override IEnumerable<StreamExtent> Extents => [new StreamExtent(0, Length)];

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        CheckRead(buffer.Length);
        int read = file.ReadAt(HostOffset, buffer[..Inside(buffer.Length)]);
        CheckGrain(buffer[..read]);
        Position += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        CheckRead(buffer.Length);
        int read = await file.ReadAtAsync(HostOffset, buffer[..Inside(buffer.Length)], cancellationToken).ConfigureAwait(false);
        CheckGrain(buffer.Span[..read]);
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

    private long HostOffset => view.Start + Position;

    private void CheckRead(int length)
    {
        owner.CountRead(file, HostOffset, length);
        if (Position < 0 || Position > Length)
        {
            throw new Qcow2FormatException("a table or data of the image lies outside its file", file.Path, hostOffset: HostOffset);
        }
    }

    private int Inside(int length) => view.Length is { } all ? (int)Math.Min(length, all - Position) : length;

    /// <summary>DiscUtils allocates what the header of a compressed grain says; so that is judged as it passes. Nothing else is read in this length.</summary>
    private void CheckGrain(ReadOnlySpan<byte> read)
    {
        if (view.MostGrain is { } most && read.Length == VmdkTables.GrainHeaderLength
            && BinaryPrimitives.ReadInt32LittleEndian(read[VmdkTables.GrainHeaderSize..]) is var size && (size < 0 || size > most))
        {
            throw new Qcow2FormatException(
                $"a compressed grain has {size} bytes; {most} are the most", file.Path, hostOffset: HostOffset + VmdkTables.GrainHeaderSize);
        }
    }
}
