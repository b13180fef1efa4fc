using System.Runtime.CompilerServices;
using DiscUtils.Streams;
using Qcow2Stream.Images;
using Qcow2Stream.Layers;
using Qcow2Stream.Mapping;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;
using Shared;

namespace Qcow2Stream;

/// <content>What the top image holds besides its active disk: snapshots, bitmaps, and what changed between two of its disks.</content>
public sealed partial class Qcow2Chain
{
    /// <summary>Lists the internal snapshots of the top image, in the order of its table.</summary>
    /// <returns>Empty for an image without any, and for a raw one.</returns>
    /// <exception cref="Qcow2FormatException">The snapshot table is damaged; the disk itself stays readable.</exception>
    /// <exception cref="Qcow2UnsupportedException">The table passes a limit of the options.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public IReadOnlyList<Qcow2Snapshot> GetSnapshots() => GetSnapshotsAsync(async: false, default).Now();

    /// <inheritdoc cref="GetSnapshots()"/>
    /// <param name="cancellationToken">Ends the reading of the table.</param>
    public async Task<IReadOnlyList<Qcow2Snapshot>> GetSnapshotsAsync(CancellationToken cancellationToken = default) =>
        await GetSnapshotsAsync(async: true, cancellationToken).ConfigureAwait(false);

    /// <summary>Lists the persistent dirty bitmaps of the top image, in the order of its directory.</summary>
    /// <returns>Empty for an image without any, for one whose bitmaps were invalidated, and for a raw one.</returns>
    /// <exception cref="Qcow2FormatException">The bitmap directory is damaged; the disk itself stays readable.</exception>
    /// <exception cref="Qcow2UnsupportedException">The directory passes a limit of the options, or holds something unknown.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public IReadOnlyList<Qcow2Bitmap> GetBitmaps() => GetBitmapsAsync(async: false, default).Now();

    /// <inheritdoc cref="GetBitmaps()"/>
    /// <param name="cancellationToken">Ends the reading of the directory.</param>
    public async Task<IReadOnlyList<Qcow2Bitmap>> GetBitmapsAsync(CancellationToken cancellationToken = default) =>
        await GetBitmapsAsync(async: true, cancellationToken).ConfigureAwait(false);

    /// <summary>Finds a persistent dirty bitmap of the top image by its name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="Qcow2Exception">There is none of that name; the message lists those that exist.</exception>
    /// <inheritdoc cref="GetBitmaps()"/>
    public Qcow2Bitmap GetBitmap(string name) => GetBitmapAsync(name, async: false, default).Now();

    /// <inheritdoc cref="GetBitmap(string)"/>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends the reading of the directory.</param>
    public async Task<Qcow2Bitmap> GetBitmapAsync(string name, CancellationToken cancellationToken = default) =>
        await GetBitmapAsync(name, async: true, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// The saved state of the virtual machine that belongs to a snapshot, as a seekable, read-only stream. It lies in the
    /// image after the snapshot's disk.
    /// </summary>
    /// <param name="snapshot">One of <see cref="GetSnapshots()"/>.</param>
    /// <returns>A stream of <see cref="Qcow2Snapshot.VmStateSize"/> bytes; the chain must stay open while it is used.</returns>
    /// <exception cref="Qcow2FormatException">The snapshot's L1 table is damaged, or does not cover the state.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public Stream OpenVmState(Qcow2Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        Inner.ThrowIfDisposed();
        Qcow2Layer top = Inner.Layers[0] as Qcow2Layer
            ?? throw new ArgumentException("The snapshot does not belong to this chain: its top image is raw.", nameof(snapshot));
        DiskTables disk = DiskTables.VmStateOf(top.Image, snapshot, Inner.Options.MaxL1TableBytes);
        Qcow2Translator translator = new(top.Image, disk.L1, disk.Start + disk.Length, Inner.Options.LayerCacheBytes);
        OpenChain state = new([top], new ChainTranslator([translator]), Inner.Options, owned: []);
        return new SubStream(new Qcow2ChainStream(new Qcow2Chain(state), ownsChain: false), Ownership.Dispose, disk.Start, disk.Length);
    }

    /// <summary>
    /// What has to be copied to get from one disk of this chain to another: the ranges of <paramref name="to"/> that
    /// are stored elsewhere than the same ranges of <paramref name="from"/>. No data is read, only tables; so a range that was
    /// rewritten with the same bytes counts as changed, and one known to be zeros in both does not.
    /// </summary>
    /// <param name="from">The disk that already exists.</param>
    /// <param name="to">
    /// The disk to get. It sets the size: past the end of <paramref name="from"/> everything that is not zeros is a
    /// change, and what <paramref name="from"/> has past the end of this disk is not returned.
    /// </param>
    /// <param name="cancellationToken">Ends the comparison, even while nothing differs.</param>
    /// <returns>Lazy, in order, neighbours merged, in constant memory. Each extent says what is in <paramref name="to"/>.</returns>
    /// <exception cref="Qcow2Exception">There is no such snapshot or layer, or a table is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public IEnumerable<MapExtent> GetChanges(DiskPoint from, DiskPoint to, CancellationToken cancellationToken = default)
    {
        Inner.ThrowIfDisposed();
        ChainTranslator before = TranslatorAtAsync(from, async: false, cancellationToken).Now();
        ChainTranslator after = TranslatorAtAsync(to, async: false, cancellationToken).Now();
        return RunComparison.ChangesAsync(before, after, async: false, cancellationToken).Now()
            .Merge().Select(run => ExtentDescription.Of(Inner, run));
    }

    /// <inheritdoc cref="GetChanges"/>
    public async IAsyncEnumerable<MapExtent> GetChangesAsync(
        DiskPoint from, DiskPoint to, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Inner.ThrowIfDisposed();
        ChainTranslator before = await TranslatorAtAsync(from, async: true, cancellationToken).ConfigureAwait(false);
        ChainTranslator after = await TranslatorAtAsync(to, async: true, cancellationToken).ConfigureAwait(false);
        IAsyncEnumerable<HostRun> changes = RunComparison.ChangesAsync(before, after, async: true, cancellationToken);
        await foreach (HostRun run in changes.MergeAsync().ConfigureAwait(false))
        {
            yield return ExtentDescription.Of(Inner, run);
        }
    }

    private async ValueTask<ChainTranslator> TranslatorAtAsync(DiskPoint point, bool async, CancellationToken cancellationToken)
    {
        if (point.Depth >= Inner.Layers.Count)
        {
            throw new Qcow2Exception($"there is no layer {point.Depth}: the chain has {Inner.Layers.Count}", Layers[0].Path);
        }

        ITranslator[] images = [.. Inner.Layers.Skip(point.Depth).Select(l => l.Translator)];
        if (point.Depth == 0 && Inner.Layers[0] is Qcow2Layer top && top.Disk.Snapshot?.Id != point.IdOrName)
        {
            // The chain may itself be open at a snapshot.
            DiskTables disk = point.IdOrName is null
                ? DiskTables.Active(top.Image)
                : DiskTables.Of(
                    top.Image,
                    await SnapshotTable.FindAsync(top.Image, point.IdOrName, Inner.Options, async, cancellationToken).ConfigureAwait(false),
                    Inner.Options.MaxL1TableBytes);
            images[0] = new Qcow2Translator(top.Image, disk.L1, disk.Length, Inner.Options.LayerCacheBytes);
        }
        else if (point.IdOrName is { } name && Inner.Layers[0] is not Qcow2Layer)
        {
            throw new Qcow2Exception($"there is no snapshot '{name}': the image is raw", Layers[0].Path);
        }

        return new ChainTranslator(images, point.Depth);
    }

    private async ValueTask<Qcow2Bitmap> GetBitmapAsync(string name, bool async, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        IReadOnlyList<Qcow2Bitmap> bitmaps = await GetBitmapsAsync(async, cancellationToken).ConfigureAwait(false);
        return bitmaps.FirstOrDefault(b => b.Name == name)
            ?? throw new Qcow2Exception(
                bitmaps.Count == 0
                    ? $"there is no bitmap '{name}': the image has none"
                    : $"there is no bitmap '{name}'; there are {string.Join(", ", bitmaps.Select(b => PrintableText.Escape(b.Name)))}",
                Layers[0].Path);
    }

    private async ValueTask<IReadOnlyList<Qcow2Snapshot>> GetSnapshotsAsync(bool async, CancellationToken cancellationToken)
    {
        Inner.ThrowIfDisposed();
        return Inner.Layers[0] is Qcow2Layer top
            ? await SnapshotTable.ReadAsync(top.Image, Inner.Options, async, cancellationToken).ConfigureAwait(false)
            : [];
    }

    private async ValueTask<IReadOnlyList<Qcow2Bitmap>> GetBitmapsAsync(bool async, CancellationToken cancellationToken)
    {
        Inner.ThrowIfDisposed();
        return Inner.Layers[0] is Qcow2Layer top
            ? await BitmapDirectory.ListAsync(top.Image, Inner.Options, async, cancellationToken).ConfigureAwait(false)
            : [];
    }
}
