using Qcow2Stream.Check;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Images;
using Qcow2Stream.Text;

namespace Qcow2Stream;

/// <summary>
/// A check of one qcow2 image, like <c>qemu-img check</c>: counts every reference to a cluster (by the header, L1, L2,
/// snapshot, bitmap and refcount tables, guest data and the LUKS header), compares the counts with the refcounts that
/// the image records, and looks for misplaced, contradictory and reserved values on the way.
/// </summary>
/// <remarks>
/// <para>Only the image itself is opened: no backing file, no external data file, no key. No guest data is read, and
/// nothing is written or repaired.</para>
/// <para>Memory: at most <see cref="Qcow2OpenOptions.MaxCheckBytes"/> for counting, about
/// <see cref="Qcow2OpenOptions.LayerCacheBytes"/> for refcount blocks, and the lists of snapshots and bitmaps. A full
/// image of 1 TiB in clusters of 64 KiB takes 32 MiB for counting.</para>
/// <para>Unlike <c>qemu-img</c> it continues where a structure can't be read (<see cref="CheckSeverity.Error"/>); leaks
/// are then not reported, as the clusters may belong to that structure. And a table that shares its cluster with
/// something else is a corruption even where the refcount says 2.</para>
/// <para>Work: an L2 table is looked at twice at most, by however many L1 entries and snapshots it is referred to. The
/// second look stands for all references but the first: what it finds says how many times it counts. L1 tables and bitmap
/// tables are walked one by one. Holes of the host file are skipped. All together, tables take no more than sixteen times what the file
/// stores, nor than <see cref="Qcow2OpenOptions.MaxCheckTableBytes"/>; where that isn't enough, it is a finding. At most
/// <see cref="Qcow2OpenOptions.MaxCheckFindings"/> are listed; the <see cref="Summary"/> counts all.</para>
/// <para>One thread may enumerate at a time.</para>
/// </remarks>
public sealed class ImageCheck : IDisposable
{
    private readonly HostFile _file;
    private readonly Qcow2OpenOptions _options;
    private readonly Qcow2Image _image;
    private CheckSummary? _summary;

    private ImageCheck(HostFile file, long length, Qcow2Header header, Qcow2OpenOptions options)
    {
        _file = file;
        _options = options;
        Header = header;
        _image = new Qcow2Image(file, length, dataFile: null, header, onDamage: static _ => { });
    }

    /// <summary>The image's file; null for a stream without a name.</summary>
    public string? ImagePath => _file.Path;

    /// <summary>The image's header.</summary>
    public Qcow2Header Header { get; }

    /// <summary>The counts of the last enumeration of <see cref="Run"/> that reached the end.</summary>
    /// <exception cref="InvalidOperationException">None has reached the end yet.</exception>
    public CheckSummary Summary => _summary
        ?? throw new InvalidOperationException("The summary is there once Run has been enumerated to its end.");

    /// <summary>Opens an image to be checked.</summary>
    /// <param name="path">The image: a regular file.</param>
    /// <param name="options">The format and the limits; null for the defaults. What is about other files is ignored.</param>
    /// <exception cref="FileNotFoundException">The image does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The host denies access to the image.</exception>
    /// <exception cref="Qcow2FormatException">The header is damaged, so that nothing can be checked.</exception>
    /// <exception cref="Qcow2UnsupportedException">The image is raw, or uses a feature that is not handled.</exception>
    public static ImageCheck Open(string path, Qcow2OpenOptions? options = null) =>
        OpenAsync(ImageSource.Of(path), options, async: false, default).Now();

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <param name="uri">The image: an absolute address, http or https.</param>
    /// <param name="options">The format and the limits; null for the defaults.</param>
    public static ImageCheck Open(Uri uri, Qcow2OpenOptions? options = null) =>
        OpenAsync(ImageSource.Of(uri, options), options, async: false, default).Now();

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <param name="stream">Readable and seekable; the check then owns it, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">The format and the limits; null for the defaults.</param>
    /// <exception cref="ArgumentException">The stream can't be read or can't seek.</exception>
    public static ImageCheck Open(Stream stream, Qcow2OpenOptions? options = null) =>
        OpenAsync(ImageSource.Of(stream, options), options, async: false, default).Now();

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <param name="file">
    /// The image, of any kind, which the check then owns, even if this fails, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.
    /// </param>
    /// <param name="options">The format and the limits; null for the defaults.</param>
    public static ImageCheck Open(HostFile file, Qcow2OpenOptions? options = null) =>
        OpenAsync(ImageSource.Of(file, options), options, async: false, default).Now();

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <param name="path">The image: a regular file.</param>
    /// <param name="options">The format and the limits; null for the defaults. What is about other files is ignored.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    public static async Task<ImageCheck> OpenAsync(string path, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await OpenAsync(ImageSource.Of(path), options, async: true, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Open(Uri, Qcow2OpenOptions?)"/>
    /// <param name="uri">The image: an absolute address, http or https.</param>
    /// <param name="options">The format and the limits; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    public static async Task<ImageCheck> OpenAsync(Uri uri, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await OpenAsync(ImageSource.Of(uri, options), options, async: true, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Open(Stream, Qcow2OpenOptions?)"/>
    /// <param name="stream">Readable and seekable; the check then owns it, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">The format and the limits; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    public static async Task<ImageCheck> OpenAsync(Stream stream, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await OpenAsync(ImageSource.Of(stream, options), options, async: true, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Open(HostFile, Qcow2OpenOptions?)"/>
    /// <param name="file">
    /// The image, of any kind, which the check then owns, even if this fails, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.
    /// </param>
    /// <param name="options">The format and the limits; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    public static async Task<ImageCheck> OpenAsync(HostFile file, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await OpenAsync(ImageSource.Of(file, options), options, async: true, cancellationToken).ConfigureAwait(false);

    /// <summary>Checks the image: findings one by one, as they are found. Each enumeration is a new check.</summary>
    /// <param name="progress">
    /// Receives, as the check proceeds, how many bytes are covered: of the disks whose tables are looked at, snapshots' included, and
    /// of the file, whose refcounts are compared last; may be null.
    /// </param>
    /// <param name="cancellationToken">Ends the check, even while it finds nothing.</param>
    /// <exception cref="Qcow2FormatException">The refcount table is misplaced, or the file became shorter during the check; thrown while enumerating, like all here.</exception>
    /// <exception cref="Qcow2UnsupportedException">The check takes more memory than <see cref="Qcow2OpenOptions.MaxCheckBytes"/>.</exception>
    /// <exception cref="Qcow2Exception">The host could not read the file.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The check is disposed.</exception>
    public IEnumerable<CheckFinding> Run(IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Operation.Check(Find(progress, cancellationToken));

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private IEnumerable<CheckFinding> Find(IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        CheckRun run = new(_image, _options, progress, cancellationToken);
        foreach (CheckFinding finding in CheckSteps.Of(run).SelectMany(step => step))
        {
            yield return finding;
        }

        run.CheckLength();
        _summary = run.Summarize();
    }

    private static async ValueTask<ImageCheck> OpenAsync(
        HostFile file, Qcow2OpenOptions? options, bool async, CancellationToken cancellationToken)
    {
        options ??= Qcow2OpenOptions.Default;
        try
        {
            await file.ConnectAsync(async, cancellationToken).ConfigureAwait(false);
            long length = file.GetLength();
            (string format, Qcow2Header? header) = await HeaderReader.ReadAsync(
                file, length, options.Format is { } given ? FormatNames.Of(given) : null, options, async, cancellationToken).ConfigureAwait(false);
            return new ImageCheck(
                file,
                length,
                header ?? throw new Qcow2UnsupportedException(
                    $"check of a {format} image", $"the image is {format}: only qcow2 images can be checked", file.Path),
                options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
