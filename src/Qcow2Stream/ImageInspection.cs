using System.Runtime.CompilerServices;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Info;
using Qcow2Stream.Text;

namespace Qcow2Stream;

/// <summary>
/// Whatever can be found out about a file that should be an image but does not open: its header as it is, how far opening
/// gets, and each part that can be read or can't, with the reason. What is wrong with the file is reported, not thrown.
/// </summary>
/// <remarks>
/// The steps are lazy: each is returned as soon as it is known, and nothing is done beyond the last one requested. A file
/// that was passed in open is read again at each stage, and closed at the end, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.
/// The map is walked until <see cref="Qcow2OpenOptions.MaxInspectionSpots"/> spots of damage are found, or as much is looked at as
/// <see cref="Qcow2OpenOptions.MaxInspectionBytes"/> allows; the last step then says how far that was.
/// </remarks>
public static class ImageInspection
{
    /// <summary>Inspects a file.</summary>
    /// <param name="path">A regular file.</param>
    /// <param name="options">Limits and policy, as for opening; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the inspection.</param>
    /// <returns>What was found out, in order.</returns>
    /// <exception cref="FileNotFoundException">The file does not exist; thrown while enumerating, like all here.</exception>
    /// <exception cref="UnauthorizedAccessException">The host denies access.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static IEnumerable<InspectionStep> Inspect(
        string path, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return RunAsync(() => ImageSource.Of(path), options, async: false, cancellationToken).Now();
    }

    /// <inheritdoc cref="Inspect(string, Qcow2OpenOptions?, CancellationToken)"/>
    /// <param name="uri">An absolute address, http or https.</param>
    /// <param name="options">Limits and policy, as for opening; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the inspection.</param>
    public static IEnumerable<InspectionStep> Inspect(
        Uri uri, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(uri);
        return RunAsync(() => ImageSource.Of(uri, options), options, async: false, cancellationToken).Now();
    }

    /// <inheritdoc cref="Inspect(string, Qcow2OpenOptions?, CancellationToken)"/>
    /// <param name="stream">Readable and seekable.</param>
    /// <param name="options">Limits and policy, as for opening; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the inspection.</param>
    public static IEnumerable<InspectionStep> Inspect(
        Stream stream, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return RunAsync(() => ImageSource.Of(stream, options), options, async: false, cancellationToken).Now();
    }

    /// <inheritdoc cref="Inspect(string, Qcow2OpenOptions?, CancellationToken)"/>
    /// <param name="file">A file of any kind.</param>
    /// <param name="options">Limits and policy, as for opening; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the inspection.</param>
    public static IEnumerable<InspectionStep> Inspect(
        HostFile file, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        return RunAsync(() => ImageSource.Of(file, options), options, async: false, cancellationToken).Now();
    }

    /// <inheritdoc cref="Inspect(string, Qcow2OpenOptions?, CancellationToken)"/>
    public static IAsyncEnumerable<InspectionStep> InspectAsync(
        string path, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return RunAsync(() => ImageSource.Of(path), options, async: true, cancellationToken);
    }

    /// <inheritdoc cref="Inspect(Uri, Qcow2OpenOptions?, CancellationToken)"/>
    public static IAsyncEnumerable<InspectionStep> InspectAsync(
        Uri uri, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(uri);
        return RunAsync(() => ImageSource.Of(uri, options), options, async: true, cancellationToken);
    }

    /// <inheritdoc cref="Inspect(Stream, Qcow2OpenOptions?, CancellationToken)"/>
    public static IAsyncEnumerable<InspectionStep> InspectAsync(
        Stream stream, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return RunAsync(() => ImageSource.Of(stream, options), options, async: true, cancellationToken);
    }

    /// <inheritdoc cref="Inspect(HostFile, Qcow2OpenOptions?, CancellationToken)"/>
    public static IAsyncEnumerable<InspectionStep> InspectAsync(
        HostFile file, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        return RunAsync(() => ImageSource.Of(file, options), options, async: true, cancellationToken);
    }

    private static async IAsyncEnumerable<InspectionStep> RunAsync(
        Func<HostFile> open, Qcow2OpenOptions? options, bool async, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using HostFile file = open();
        await file.ConnectAsync(async, cancellationToken).ConfigureAwait(false);
        InspectionRun run = new(file, options ?? Qcow2OpenOptions.Default, async, cancellationToken);
        yield return run.DescribeFile();
        foreach (InspectionStep step in await run.TryAsync(InspectionStage.Header, HeaderLinesAsync).ConfigureAwait(false))
        {
            yield return step;
        }

        foreach (InspectionStep step in await run.TryAsync(InspectionStage.Image, ImageLinesAsync).ConfigureAwait(false))
        {
            yield return step;
        }

        foreach (InspectionStep step in await run.TryAsync(InspectionStage.Chain, run.ChainLinesAsync).ConfigureAwait(false))
        {
            yield return step;
        }

        await foreach (InspectionStep step in run.WalkAsync().ConfigureAwait(false))
        {
            yield return step;
        }

        async ValueTask<IReadOnlyList<string>> HeaderLinesAsync(HostFile lent)
        {
            try
            {
                HeaderDump header = async ? await HeaderDump.ReadAsync(lent, cancellationToken: cancellationToken).ConfigureAwait(false) : HeaderDump.Read(lent);
                return header.ToString().TrimEnd('\n').Split('\n');
            }
            catch (Qcow2FormatException e) when (e.Hint == HeaderDump.WhatItIs)
            {
                throw HeaderDump.NoMagic(lent.Path, hint: null);
            }
        }

        async ValueTask<IReadOnlyList<string>> ImageLinesAsync(HostFile lent)
        {
            ImageInfo info = async ? await ImageInfo.ReadAsync(lent, cancellationToken: cancellationToken).ConfigureAwait(false) : ImageInfo.Read(lent);
            return
            [
                $"opens as {info.FormatName}, a disk of {info.Length} bytes",
                $"{info.Snapshots.Count} snapshots, {info.Bitmaps.Count} bitmaps, {(info.Encryption is null ? "not encrypted" : "encrypted")}",
            ];
        }
    }
}
