using System.Globalization;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Layers;
using Qcow2Stream.Opening;
using Qcow2Stream.Translation;
using Shared;

namespace Qcow2Stream.Info;

/// <summary>The stages of an inspection, each of which starts again with the same file, and none of which throws what it finds.</summary>
/// <param name="file">The file; it is not disposed.</param>
/// <param name="options">Limits and policy.</param>
/// <param name="async">False: what is returned has completed.</param>
/// <param name="cancellationToken">Ends the inspection.</param>
internal sealed class InspectionRun(HostFile file, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken)
{
    // What one extent costs, in bytes of tables.
    private const long BytesPerExtent = 512;

    public InspectionStep DescribeFile() => new()
    {
        Stage = InspectionStage.File,
        Text = string.Create(
            CultureInfo.InvariantCulture,
            $"{PrintableText.Escape(file.Path ?? "")}, {file.GetLength()} bytes, {file.GetAllocatedLength()} of them on disk"),
    };

    /// <summary>The lines of a stage, or why there are none.</summary>
    /// <param name="stage">Which.</param>
    /// <param name="tell">Gets the file, lent to it, and says what it has found.</param>
    public async ValueTask<IReadOnlyList<InspectionStep>> TryAsync(InspectionStage stage, Func<HostFile, ValueTask<IReadOnlyList<string>>> tell)
    {
        try
        {
            return [.. (await tell(new LentHostFile(file)).ConfigureAwait(false)).Select(line => new InspectionStep { Stage = stage, Text = line })];
        }
        catch (Qcow2Exception e)
        {
            return [Failure(stage, e)];
        }
    }

    public async ValueTask<IReadOnlyList<string>> ChainLinesAsync(HostFile lent)
    {
        using OpenChain chain = await OpenAsync(lent, options).ConfigureAwait(false);
        return
        [
            .. chain.Layers.Select((l, depth) => $"layer {depth}: {PrintableText.Escape(l.File.Path ?? "")}, a disk of {l.Translator.Length} bytes"),
        ];
    }

    /// <summary>Walks the whole map as leniently as possible, and reports each spot where that was needed, as it comes to it.</summary>
    public async IAsyncEnumerable<InspectionStep> WalkAsync()
    {
        Queue<ImageDamage> found = [];
        Qcow2OpenOptions lenient = options with { Lenient = true, OnDamage = found.Enqueue };
        OpenChain? chain = null;
        Qcow2Exception? error = null;
        try
        {
            chain = await OpenAsync(new LentHostFile(file), lenient).ConfigureAwait(false);
        }
        catch (Qcow2Exception e)
        {
            error = e;
        }

        if (chain is null)
        {
            yield return Failure(InspectionStage.Map, error!);
            yield break;
        }

        using (chain)
        {
            int told = 0;
            bool ends = false;
            long position = 0;
            long extents = 0;
            while (!ends && told < options.MaxInspectionSpots && !IsSpent(chain, extents++))
            {
                ends = position >= chain.Length;
                try
                {
                    position = ends ? position : await NextAsync(chain, position).ConfigureAwait(false);
                }
                catch (Qcow2Exception e)
                {
                    error = e;
                    ends = true;
                }

                for (; told < options.MaxInspectionSpots && found.TryDequeue(out ImageDamage spot); told++)
                {
                    yield return new InspectionStep { Stage = InspectionStage.Map, Text = $"damaged: {spot.Reason}", Damage = spot };
                }
            }

            if (error is not null)
            {
                yield return new InspectionStep { Stage = InspectionStage.Map, Text = $"ends here: {error.Message}", Error = error };
            }
            else if (told >= options.MaxInspectionSpots)
            {
                yield return new InspectionStep { Stage = InspectionStage.Map, Text = "and maybe more" };
            }
            else if (!ends)
            {
                yield return new InspectionStep
                {
                    Stage = InspectionStage.Map,
                    Text = string.Create(
                        CultureInfo.InvariantCulture,
                        $"looked at up to guest offset {position} of {chain.Length}, and no further: that took as much as MaxInspectionBytes allows"),
                };
            }
            else if (told == 0)
            {
                yield return new InspectionStep { Stage = InspectionStage.Map, Text = "no damage; the data itself was not read" };
            }
        }
    }

    private bool IsSpent(OpenChain chain, long extents) =>
        chain.Layers.Sum(l => l.Tables?.TableBytesRead ?? 0) > options.MaxInspectionBytes - (extents * BytesPerExtent);

    private async ValueTask<long> NextAsync(OpenChain chain, long position)
    {
        cancellationToken.ThrowIfCancellationRequested();
        HostRun run = async
            ? await chain.Translator.TranslateAsync(position, chain.Length - position, RunDetail.Metadata, cancellationToken).ConfigureAwait(false)
            : chain.Translator.Translate(position, chain.Length - position);
        return run.GuestEnd;
    }

    /// <summary>Files that an image names are opened as if the file itself had been given, not a stand-in for it.</summary>
    private ValueTask<OpenChain> OpenAsync(HostFile lent, Qcow2OpenOptions how) =>
        ChainOpener.OpenAsync(lent, how, how.Follow ?? FileGate.DefaultFor(lent), async, cancellationToken);

    private static InspectionStep Failure(InspectionStage stage, Qcow2Exception error) =>
        new() { Stage = stage, Text = $"can't be read: {error.Message}", Error = error };
}
