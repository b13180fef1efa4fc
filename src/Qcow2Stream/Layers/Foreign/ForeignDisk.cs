using DiscUtils;
using DiscUtils.Streams;
using Qcow2Stream.Format;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;
using Shared;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>
/// The disk of an image that DiscUtils reads. Its streams have one cursor and caches without locks, so readers take
/// turns; whatever a damaged image makes DiscUtils throw comes out as a <see cref="Qcow2Exception"/>.
/// </summary>
internal sealed class ForeignDisk : ITranslator, IDisposable
{
    // The one whose map agrees with QEMU's. VHDX has none, and a map of which nothing is known would be taken for the truth:
    // what it calls empty is never read.
    private const string MappedFormat = "vpc";

    // One translation walks DiscUtils' tables over no more than this, from one multiple of it to the next: over the first
    // step, and twice as far each time that nothing is stored. So what the walk costs stays near what it finds.
    private const long Window = 256 << 20;
    private const long FirstStep = 1 << 20;

    // Far more than opening any image takes.
    private const int ReadsToOpen = 1 << 17;
    private const long BytesToOpen = 64 << 20;

    // The largest table that is read for one byte, in any format: 1 MiB, with room for what comes on the way to it.
    private const long BytesToFind = 8 << 20;

    // DiscUtils keeps the bitmap of each block of a VHD that it has looked at.
    private const string FormatThatKeepsTables = "vpc";
    private const long MostKept = 32 << 20;

    private readonly HostFile _file;
    private readonly ForeignFileSystem _files;
    private readonly VirtualDisk _disk;
    private readonly long _tableBytes;
    private readonly int _layerCount;
    private readonly bool _isMapped;
    private readonly Turns _turns = new();
    private SparseStream _content;
    private MappedStream? _map;
    private long _bytesAsked;
    private volatile bool _disposed;

    private ForeignDisk(string formatName, HostFile file, ForeignFileSystem files, VirtualDisk disk, long tableBytes)
    {
        FormatName = formatName;
        _file = file;
        _files = files;
        _disk = disk;
        _tableBytes = tableBytes;
        _layerCount = disk.Layers.Count();
        _content = OpenContent();
        Length = CheckedLength(disk, _content) & ~(Sector.Size - 1);
        _isMapped = formatName == MappedFormat && files.IsOneFile && _layerCount == 1;
        _map = MapOf(_content);
        files.IsSealed = true;
        _bytesAsked = files.BytesRead;
    }

    public string FormatName { get; }

    public long Length { get; }

    /// <summary>Opens an image. DiscUtils opens without any asynchrony.</summary>
    /// <param name="format">QEMU's name for its format, untrusted text.</param>
    /// <param name="file">The image; it stays its caller's.</param>
    /// <param name="openPart">Opens a file that the image names, by that name, or refuses to.</param>
    /// <param name="options">The limits.</param>
    /// <exception cref="Qcow2UnsupportedException">No reader of the format is registered, it does not handle the image, or its tables take too much memory.</exception>
    /// <exception cref="Qcow2FormatException">The image is damaged.</exception>
    /// <exception cref="NamedFileException">A file that it names was refused.</exception>
    public static ForeignDisk Open(string format, HostFile file, Func<string, HostFile> openPart, Qcow2OpenOptions options)
    {
        string extension = ForeignFormats.ExtensionFor(format, file.Path);
        TableMemory memory = new(options.MaxForeignTableBytes);
        ForeignFileSystem files = new(file, extension, memory, openPart);
        VirtualDisk? disk = null;
        try
        {
            files.AllowReads(ReadsToOpen, BytesToOpen + (options.MaxForeignTableBytes * 2L));
            disk = VirtualDisk.OpenDisk(files, files.ImagePath, FileAccess.Read);
            CheckDepth(disk, file, options.MaxChainDepth);
            return new ForeignDisk(PrintableText.Escape(format), file, files, disk, memory.Bytes);
        }
        catch (Exception e)
        {
            disk?.Dispose();
            files.Dispose();
            if (e is Qcow2Exception)
            {
                throw;
            }

            throw files.Refusal ?? Translated(e, file, format, guestOffset: null);
        }
    }

    public HostRun Translate(long guestOffset, long maxLength, RunDetail detail)
    {
        using Turns.Turn turn = _turns.Take();
        return Translate(guestOffset, maxLength);
    }

    public async ValueTask<HostRun> TranslateAsync(
        long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken)
    {
        using Turns.Turn turn = await _turns.TakeAsync(async: true, cancellationToken).ConfigureAwait(false);
        return Translate(guestOffset, maxLength);
    }

    /// <summary>Fills <paramref name="buffer"/>, which lies inside the disk.</summary>
    public void Read(long guestOffset, Span<byte> buffer)
    {
        using Turns.Turn turn = _turns.Take();
        try
        {
            Prepare(guestOffset, buffer.Length);
            CheckComplete(guestOffset, buffer.Length, _content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false));
        }
        catch (Exception e) when (!IsOurs(e))
        {
            throw Translated(e, _file, FormatName, guestOffset);
        }
    }

    /// <inheritdoc cref="Read"/>
    public async ValueTask ReadAsync(long guestOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using Turns.Turn turn = await _turns.TakeAsync(async: true, cancellationToken).ConfigureAwait(false);
        try
        {
            Prepare(guestOffset, buffer.Length);
            int read = await _content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken)
                .ConfigureAwait(false);
            CheckComplete(guestOffset, buffer.Length, read);
        }
        catch (Exception e) when (!IsOurs(e))
        {
            throw Translated(e, _file, FormatName, guestOffset);
        }
    }

    public void Dispose()
    {
        using Turns.Turn turn = _turns.Take();
        if (!_disposed)
        {
            _disposed = true;
            _content.Dispose();
            _disk.Dispose();
            _files.Dispose();
        }
    }

    /// <summary>The disk's size, where its content has as much.</summary>
    private static long CheckedLength(VirtualDisk disk, SparseStream content)
    {
        long capacity = disk.Capacity;
        long length = content.Length;
        return capacity >= 0 && length >= capacity
            ? capacity
            : throw new InvalidDataException($"it says that its disk has {capacity} bytes, but describes {length}");
    }

    /// <summary>DiscUtils reads through all parents of an image in one call, each inside the other.</summary>
    private static void CheckDepth(VirtualDisk disk, HostFile file, int maxDepth)
    {
        if (disk.Layers.Take(maxDepth + 1).Count() > maxDepth)
        {
            throw new Qcow2UnsupportedException(
                "deep chain", $"the image and its parents are more than the {maxDepth} layers that MaxChainDepth allows", file.Path)
            {
                Hint = nameof(Qcow2OpenOptions.MaxChainDepth),
            };
        }
    }

    /// <summary>The map from guest to host bytes, where DiscUtils has one that is complete: for one image in one file.</summary>
    private MappedStream? MapOf(SparseStream content) => _isMapped ? content as MappedStream : null;

    /// <summary>In turn.</summary>
    private HostRun Translate(long guestOffset, long maxLength)
    {
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Find(guestOffset, maxLength);
        }
        catch (Exception e) when (!IsOurs(e))
        {
            throw Translated(e, _file, FormatName, guestOffset);
        }
    }

    /// <summary>
    /// Without a map of the file everything is data: what DiscUtils says of extents then differs, for some formats,
    /// from what it reads.
    /// </summary>
    private HostRun Find(long guestOffset, long maxLength)
    {
        if (_map is null)
        {
            return Data(guestOffset, maxLength, HostRun.Nowhere);
        }

        DropKept();
        long end = Math.Min(guestOffset + maxLength, (guestOffset & -Window) + Window);
        long length;
        StreamExtent? stored;
        long step = FirstStep;
        do
        {
            length = Math.Min(end, (guestOffset & -step) + step) - guestOffset;
            stored = FirstStored(_map, guestOffset, length);
            step *= 2;
        }
        while (stored is null && guestOffset + length < end);

        end = guestOffset + length;
        if (stored is not { } found || found.Start > guestOffset)
        {
            length = Math.Min(length, (stored?.Start ?? end) - guestOffset);
            bool isEmpty = !_map.MapContent(guestOffset, length).Any();
            return isEmpty
                ? new HostRun { Kind = RunKind.Zero, GuestOffset = guestOffset, Length = length }
                : Data(guestOffset, length, HostRun.Nowhere);
        }

        length = Math.Min(length, found.Start + found.Length - guestOffset);
        long hostOffset = HostOffsetOf(_map, guestOffset, ref length);
        return Data(guestOffset, length, hostOffset);
    }

    private StreamExtent? FirstStored(MappedStream map, long guestOffset, long length)
    {
        Allow(length);
        foreach (StreamExtent extent in map.GetExtentsInRange(guestOffset, length))
        {
            if (extent.Start + extent.Length > guestOffset)
            {
                return extent;
            }
        }

        return null;
    }

    /// <summary>Where stored bytes are in the file, and how many follow each other there; nowhere if they are compressed.</summary>
    private static long HostOffsetOf(MappedStream map, long guestOffset, ref long length)
    {
        // For one compressed byte, all compressed bytes that hold it are returned.
        StreamExtent? first = map.MapContent(guestOffset, 1).FirstOrDefault();
        if (first is not { Length: 1 } place)
        {
            return HostRun.Nowhere;
        }

        long contiguous = 0;
        foreach (StreamExtent extent in map.MapContent(guestOffset, length))
        {
            if (extent.Start != place.Start + contiguous)
            {
                break;
            }

            contiguous += extent.Length;
        }

        length = Math.Clamp(contiguous, 1, length);
        return place.Start;
    }

    private static HostRun Data(long guestOffset, long length, long hostOffset) => new()
    {
        Kind = RunKind.Data,
        GuestOffset = guestOffset,
        Length = length,
        HostOffset = hostOffset,
        HostLength = hostOffset == HostRun.Nowhere ? 0 : length,
    };

    private void Prepare(long guestOffset, int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        DropKept();
        Allow(length);
        _bytesAsked += length;
        _content.Position = guestOffset;
    }

    /// <summary>
    /// What a call for so many bytes may read: no format keeps less than a sector in one place, nor needs more than a few tables
    /// to find it, in the image and in each of its parents.
    /// </summary>
    private void Allow(long length) =>
        _files.AllowReads((length / Sector.Size * 4) + (4096L * _layerCount), (length * 8) + (BytesToFind * _layerCount));

    /// <summary>The disk's bytes: where DiscUtils would keep the first stream for good, one that is made here.</summary>
    private SparseStream OpenContent()
    {
        if (FormatName != FormatThatKeepsTables)
        {
            return _disk.Content;
        }

        SparseStream? content = null;
        foreach (VirtualDiskLayer layer in _disk.Layers.Reverse())
        {
            content = layer.OpenContent(content, Ownership.Dispose);
        }

        return content!;
    }

    /// <summary>Starts again with new streams over the same files, where the old ones keep too much of what they have looked at.</summary>
    private void DropKept()
    {
        if (FormatName != FormatThatKeepsTables || _files.BytesRead - _bytesAsked < MostKept + _tableBytes)
        {
            return;
        }

        _files.AllowReads(ReadsToOpen, BytesToOpen + (_tableBytes * 2));
        _content.Dispose();
        _content = OpenContent();
        _map = MapOf(_content);
        _bytesAsked = _files.BytesRead;
    }

    private static void CheckComplete(long guestOffset, int wanted, int read)
    {
        if (read < wanted)
        {
            throw new EndOfStreamException($"{wanted - read} bytes are missing at guest offset {guestOffset + read}");
        }
    }

    private bool IsOurs(Exception e) =>
        e is Qcow2Exception or OperationCanceledException || (e is ObjectDisposedException && _disposed);

    private static Qcow2Exception Translated(Exception cause, HostFile file, string format, long? guestOffset) => cause switch
    {
        NotSupportedException => new Qcow2UnsupportedException(
            $"format {PrintableText.Escape(format)}", $"DiscUtils does not read this {Describe(cause, format)}", file.Path),
        _ => new Qcow2FormatException($"DiscUtils can't read this {Describe(cause, format)}", file.Path, guestOffset, innerException: cause),
    };

    /// <summary>
    /// What DiscUtils says of the image. A damaged one also makes it stumble over its own assumptions, where the text says something of its code, and nothing
    /// of the image.
    /// </summary>
    private static string Describe(Exception cause, string format)
    {
        string problem = cause is IOException or InvalidDataException or NotSupportedException
            ? PrintableText.Escape(cause.Message)
            : "what the image says does not fit together";
        return $"image of format {PrintableText.Escape(format)}: {problem}";
    }
}
