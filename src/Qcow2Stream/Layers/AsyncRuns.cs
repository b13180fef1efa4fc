using System.Runtime.CompilerServices;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>What <see cref="TranslatedRuns{TView}"/> lists, without blocking a thread where a table has to be read.</summary>
internal static class AsyncRuns
{
    /// <summary>The runs of a range, one question after another.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="translator">The chain's, or one of its kind.</param>
    /// <param name="start">In bytes, inside the disk.</param>
    /// <param name="end">In bytes, inside the disk.</param>
    /// <param name="cancellationToken">Ends it, as the request's own token does.</param>
    public static async IAsyncEnumerable<HostRun> Of(
        RunRequest request, ChainTranslator translator, long start, long end, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(request.CancellationToken, cancellationToken);
        for (long position = start; position < end;)
        {
            request.ThrowIfEnded();
            cancellationToken.ThrowIfCancellationRequested();
            HostRun run = await translator.TranslateAsync(position, end - position, request.Detail, either.Token).ConfigureAwait(false);
            position = run.GuestEnd;
            yield return run;
        }
    }
}
