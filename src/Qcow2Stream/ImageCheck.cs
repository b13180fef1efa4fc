using Qcow2Stream.Check;
using Qcow2Stream.Format;
using Qcow2Stream.Images;
using Qcow2Stream.Text;

namespace Qcow2Stream;

/// <summary>
/// A check of one qcow2 image, as <c>qemu-img check</c>: counts every reference to a cluster (by the header, L1, L2,
/// snapshot, bitmap and refcount tables, guest data and the LUKS header), compares the counts with the refcounts that
/// the image records, and looks for misplaced, contradictory and reserved values on the way.
/// </summary>
/// <remarks>
/// <para>Only the image itself is opened: no backing file, no external data file, no key. No guest data is read, and
/// nothing is written or repaired.</para>
/// <para>Memory: at most <see cref="Qcow2OpenOptions.MaxCheckBytes"/> for counting, about
/// <see cref="Qcow2OpenOptions.LayerCacheBytes"/> for refcount blocks, and the lists of snapshots and bitmaps. A full
/// image of 1 TiB in clusters of 64 KiB takes 32 MiB for counting.</para>
/// <para>Unlike <c>qemu-img</c> it goes on where a structure can't be read (<see cref="CheckSeverity.Error"/>); leaks
/// are then not reported, as the clusters may belong to that structure. And a table that shares its cluster with
/// something else is a corruption even where the refcount says 2.</para>
/// <para>Work: an L2 table is looked at twice at most, by however many L1 entries and snapshots it is referred to. The
/// second look stands for all references but the first: what it finds says how many times it counts. L1 tables and bitmap
/// tables are walked one by one, as long as they take no more than sixteen times the file's length together.</para>
/// <para>One thread may enumerate at a time.</para>
/// </remarks>
public sealed class ImageCheck : IDisposable
{
    private readonly HostFile _file;
    private readonly Qcow2OpenOptions _options;
    private readonly Qcow2Image _image;
    private CheckSummary? _summary;

    private ImageCheck(HostFile file, Qcow2OpenOptions options)
    {
        _file = file;
        _options = options;
        long length = file.GetLength();
        (string format, Qcow2Header? header) = HeaderReader.ReadAsync(
            file, length, options.Format is { } given ? FormatNames.Of(given) : null, options, async: false, default).Now();
        Header = header
            ?? throw new Qcow2UnsupportedException($"check of a {format} image", $"the image is {format}: only qcow2 images can be checked", file.Path);
        _image = new Qcow2Image(file, length, dataFile: null, Header, onDamage: static _ => { });
    }

    /// <summary>The image's file; null for a stream without a name.</summary>
    public string? ImagePath => _file.Path;

    /// <summary>The image's header.</summary>
    public Qcow2Header Header { get; }

    /// <summary>The counts of the last enumeration of <see cref="Findings"/> that reached the end.</summary>
    /// <exception cref="InvalidOperationException">None did yet.</exception>
    public CheckSummary Summary => _summary
        ?? throw new InvalidOperationException("The summary is there once Findings has been enumerated to its end.");

    /// <summary>Opens an image to be checked.</summary>
    /// <param name="path">The image: a regular file.</param>
    /// <param name="options">The format and the limits; null for the defaults. What is about other files is ignored.</param>
    /// <exception cref="FileNotFoundException">The image does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The host denies access to the image.</exception>
    /// <exception cref="Qcow2FormatException">The header is damaged, so that nothing can be checked.</exception>
    /// <exception cref="Qcow2UnsupportedException">The image is raw, or uses a feature that is not handled.</exception>
    public static ImageCheck Open(string path, Qcow2OpenOptions? options = null)
    {
        return Open(HostFile.FromPath(path), options);
    }

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <summary>Opens an image from a stream, which the check owns unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</summary>
    /// <param name="stream">Readable and seekable.</param>
    /// <param name="options">The format and the limits; null for the defaults.</param>
    /// <exception cref="ArgumentException">The stream can't be read or can't seek.</exception>
    public static ImageCheck Open(Stream stream, Qcow2OpenOptions? options = null) =>
        Open(HostFile.FromStream(stream, options?.LeaveOpen ?? false), options);

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <summary>Opens an image from a file of any kind.</summary>
    /// <param name="file">The image, which the check then owns, also where this fails.</param>
    /// <param name="options">The format and the limits; null for the defaults.</param>
    public static ImageCheck Open(HostFile file, Qcow2OpenOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        try
        {
            return new ImageCheck(file, options ?? Qcow2OpenOptions.Default);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Checks the image: findings one by one, as they are found. Each enumeration is a check of its own.</summary>
    /// <param name="cancellationToken">Ends the check, also where it finds nothing for long.</param>
    /// <exception cref="Qcow2FormatException">The refcount table is misplaced, or the file became shorter meanwhile; thrown while enumerating, like all here.</exception>
    /// <exception cref="Qcow2UnsupportedException">The check takes more memory than <see cref="Qcow2OpenOptions.MaxCheckBytes"/>.</exception>
    /// <exception cref="Qcow2Exception">The host could not read the file.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The check is disposed.</exception>
    public IEnumerable<CheckFinding> Findings(CancellationToken cancellationToken = default)
    {
        CheckRun run = new(_image, _options, cancellationToken);
        HeaderCheck.Check(run);
        CheckPlace l1 = new("L1 table", HeaderLayout.L1TableOffset);
        L1Check active = new(run, isActive: true);
        IEnumerable<CheckFinding>[] steps =
        [
            active.Check((ulong)Header.L1TableOffset, Header.L1Size, l1),
            active.CheckRepeated(),
            SnapshotCheck.Check(run),
            BitmapCheck.Check(run),
            RefcountCheck.CheckTable(run),
            RefcountCheck.Compare(run),
        ];
        foreach (CheckFinding finding in steps.SelectMany(step => step))
        {
            yield return finding;
        }

        run.CheckLength();
        _summary = run.Summarize();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();
}
