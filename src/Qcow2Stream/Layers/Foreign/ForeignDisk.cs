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
    // The one format of these whose images may have a parent; in QEMU, all others decide what is in every place.
    private const string FormatWithParents = "vmdk";

    // Those whose map agrees with QEMU's. VHDX has none, and a map of which nothing is known would be taken for the truth:
    // what it calls empty is never read.
    private static readonly string[] MappedFormats = [FormatWithParents, "vpc"];

    // One translation walks DiscUtils' tables over no more than this, from one multiple of it to the next.
    private const long Window = 256 << 20;

    // Far more than opening any image takes.
    private const int ReadsToOpen = 1 << 17;

    private readonly HostFile _file;
    private readonly ForeignFileSystem _files;
    private readonly VirtualDisk _disk;
    private readonly SparseStream _content;
    private readonly MappedStream? _map;
    private readonly RunKind _emptyKind;
    private readonly Turns _turns = new();
    private volatile bool _disposed;

    private ForeignDisk(string formatName, HostFile file, ForeignFileSystem files, VirtualDisk disk)
    {
        FormatName = formatName;
        _file = file;
        _files = files;
        _disk = disk;
        CheckExtents(disk);
        _content = disk.Content;
        Length = CheckedLength(disk) & ~(Sector.Size - 1);
        _emptyKind = formatName == FormatWithParents ? RunKind.Unallocated : RunKind.Zero;
        _map = MapOf(formatName, disk, files);
        files.IsSealed = true;
    }

    public string FormatName { get; }

    public long Length { get; }

    /// <summary>Opens an image. DiscUtils opens without any asynchrony.</summary>
    /// <param name="format">QEMU's name for its format, untrusted text.</param>
    /// <param name="file">The image; it stays its caller's.</param>
    /// <param name="openPart">Opens a file that the image names, by that name, or refuses to.</param>
    /// <exception cref="Qcow2UnsupportedException">No reader of the format is registered, or it does not handle the image.</exception>
    /// <exception cref="Qcow2FormatException">The image is damaged.</exception>
    /// <exception cref="NamedFileException">A file that it names was refused.</exception>
    public static ForeignDisk Open(string format, HostFile file, Func<string, HostFile> openPart)
    {
        string extension = ForeignFormats.ExtensionFor(format, file.Path);
        ForeignFileSystem files = new(file, extension, openPart);
        VirtualDisk? disk = null;
        try
        {
            files.AllowReads(ReadsToOpen);
            disk = VirtualDisk.OpenDisk(files, files.ImagePath, FileAccess.Read);
            return new ForeignDisk(PrintableText.Escape(format), file, files, disk);
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
            _disk.Dispose();
            _files.Dispose();
        }
    }

    /// <summary>
    /// The parts of a disk in several files must have the sizes that it says, and start where their files do: DiscUtils
    /// does not look, and would put their bytes elsewhere.
    /// </summary>
    private static void CheckExtents(VirtualDisk disk)
    {
        if (disk.DiskTypeInfo.Name != "VMDK")
        {
            return;
        }

        foreach (VirtualDiskExtent extent in disk.Layers.SelectMany(l => l.Extents).Where(e => !e.IsSparse))
        {
            if (extent.StoredSize != extent.Capacity)
            {
                throw new NotSupportedException(
                    $"an extent of {extent.Capacity} bytes is kept in a file of {extent.StoredSize}: extents that are parts of a file are not handled");
            }
        }
    }

    /// <summary>The disk's size, where its content has as much.</summary>
    private static long CheckedLength(VirtualDisk disk)
    {
        long capacity = disk.Capacity;
        long length = disk.Content.Length;
        return capacity >= 0 && length >= capacity
            ? capacity
            : throw new InvalidDataException($"it says that its disk has {capacity} bytes, but describes {length}");
    }

    /// <summary>The map from guest to host bytes, where DiscUtils has one that is complete: for one image in one file.</summary>
    private static MappedStream? MapOf(string formatName, VirtualDisk disk, ForeignFileSystem files) =>
        MappedFormats.Contains(formatName) && files.IsOneFile && disk.Layers.Count() == 1 ? disk.Content as MappedStream : null;

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

        long end = Math.Min(guestOffset + maxLength, (guestOffset & -Window) + Window);
        long length = end - guestOffset;
        _files.AllowReads(ReadsFor(length));
        StreamExtent? stored = null;
        foreach (StreamExtent extent in _map.GetExtentsInRange(guestOffset, length))
        {
            if (extent.Start + extent.Length > guestOffset)
            {
                stored = extent;
                break;
            }
        }

        if (stored is not { } found || found.Start > guestOffset)
        {
            length = Math.Min(length, (stored?.Start ?? end) - guestOffset);
            bool isEmpty = !_map.MapContent(guestOffset, length).Any();
            return isEmpty
                ? new HostRun { Kind = _emptyKind, GuestOffset = guestOffset, Length = length }
                : Data(guestOffset, length, HostRun.Nowhere);
        }

        length = Math.Min(length, found.Start + found.Length - guestOffset);
        long hostOffset = HostOffsetOf(_map, guestOffset, ref length);
        return Data(guestOffset, length, hostOffset);
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
        _files.AllowReads(ReadsFor(length));
        _content.Position = guestOffset;
    }

    // No format keeps less than a sector in one place, nor needs more than a few tables to find it.
    private static int ReadsFor(long length) => (int)(length / Sector.Size * 4) + 4096;

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

    private static string Describe(Exception cause, string format) =>
        $"image of format {PrintableText.Escape(format)}: {PrintableText.Escape(cause.Message)}";
}
