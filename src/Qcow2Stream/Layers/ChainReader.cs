using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>
/// The read loop: asks the translator, lets the layer that answered fill in the bytes, and continues after them.
/// Several compressed clusters in one read are decompressed on all cores.
/// </summary>
internal sealed class ChainReader(Layer[] layers, ChainTranslator translator)
{
    // Work for many cores, and a list that stays small however large the read and however small the clusters.
    private const int MaxBatch = 256;

    /// <summary>Fills <paramref name="buffer"/>, which lies inside the disk.</summary>
    /// <param name="guestOffset">Where to start.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="maxCores">How many cores may decompress; 1 where the caller keeps the others busy itself.</param>
    public void Read(long guestOffset, Span<byte> buffer, int maxCores)
    {
        List<HostRun>? compressed = null;
        HostRun run;
        for (int done = 0; done < buffer.Length; done += (int)run.Length)
        {
            run = translator.Translate(guestOffset + done, buffer.Length - done);
            if (maxCores > 1 && run.Kind == RunKind.Compressed && run.Length < buffer.Length)
            {
                (compressed ??= []).Add(run);
                if (compressed.Count == MaxBatch)
                {
                    DecompressAll(compressed, guestOffset, buffer, maxCores);
                    compressed.Clear();
                }
            }
            else
            {
                Fill(run, buffer.Slice(done, (int)run.Length));
            }
        }

        if (compressed is not null)
        {
            DecompressAll(compressed, guestOffset, buffer, maxCores);
        }
    }

    /// <inheritdoc cref="Read"/>
    /// <param name="guestOffset">Where to start.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="maxCores">How many cores may decompress; 1 where the caller keeps the others busy itself.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>The buffer's length.</returns>
    public async ValueTask<int> ReadAsync(
        long guestOffset, Memory<byte> buffer, int maxCores, CancellationToken cancellationToken)
    {
        List<HostRun>? compressed = null;
        HostRun run;
        for (int done = 0; done < buffer.Length; done += (int)run.Length)
        {
            run = await translator.TranslateAsync(guestOffset + done, buffer.Length - done, RunDetail.Metadata, cancellationToken)
                .ConfigureAwait(false);
            if (maxCores > 1 && run.Kind == RunKind.Compressed && run.Length < buffer.Length)
            {
                (compressed ??= []).Add(run);
                if (compressed.Count == MaxBatch)
                {
                    await DecompressAllAsync(compressed, guestOffset, buffer, maxCores, cancellationToken).ConfigureAwait(false);
                    compressed.Clear();
                }
            }
            else
            {
                await FillAsync(run, buffer.Slice(done, (int)run.Length), cancellationToken).ConfigureAwait(false);
            }
        }

        if (compressed is not null)
        {
            await DecompressAllAsync(compressed, guestOffset, buffer, maxCores, cancellationToken).ConfigureAwait(false);
        }

        return buffer.Length;
    }

    private void Fill(in HostRun run, Span<byte> target)
    {
        if (IsStored(run))
        {
            layers[run.Depth].Read(run, target);
        }
        else
        {
            target.Clear();
        }
    }

    private ValueTask FillAsync(in HostRun run, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (IsStored(run))
        {
            return layers[run.Depth].ReadAsync(run, target, cancellationToken);
        }

        target.Span.Clear();
        return ValueTask.CompletedTask;
    }

    private static bool IsStored(in HostRun run)
    {
        Debug.Assert(run.Kind != RunKind.Hole, "reading asks for metadata only");
        return run.Kind is RunKind.Data or RunKind.Compressed;
    }

    private unsafe void DecompressAll(List<HostRun> runs, long guestOffset, Span<byte> buffer, int maxCores)
    {
        if (runs.Count == 1)
        {
            Fill(runs[0], buffer.Slice((int)(runs[0].GuestOffset - guestOffset), (int)runs[0].Length));
            return;
        }

        // The buffer stays where it is while the pool works on it: this call returns only after all of that.
        fixed (byte* start = buffer)
        {
            byte* target = start;
            try
            {
                Parallel.ForEach(
                    runs, Limit(maxCores, default), run => Fill(run, new Span<byte>(target + (run.GuestOffset - guestOffset), (int)run.Length)));
            }
            catch (AggregateException e)
            {
                ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
            }
        }
    }

    private Task DecompressAllAsync(
        List<HostRun> runs, long guestOffset, Memory<byte> buffer, int maxCores, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            runs,
            Limit(maxCores, cancellationToken),
            (run, token) => FillAsync(run, buffer.Slice((int)(run.GuestOffset - guestOffset), (int)run.Length), token));

    private static ParallelOptions Limit(int maxCores, CancellationToken cancellationToken) => new()
    {
        MaxDegreeOfParallelism = Math.Min(maxCores, Environment.ProcessorCount),
        CancellationToken = cancellationToken,
    };
}
