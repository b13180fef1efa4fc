using System.Diagnostics.CodeAnalysis;

namespace Qcow2Stream.Text;

/// <summary>Lets one caller at a time do something: each takes a turn, and gives it back by disposing it.</summary>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable", Justification = "A semaphore whose wait handle nobody asks for holds nothing, and late callers must still find it.")]
internal sealed class Turns
{
    private readonly SemaphoreSlim _semaphore = new(1, 1);

    /// <summary>Waits for a turn.</summary>
    /// <returns>The turn, to be disposed once.</returns>
    public Turn Take(CancellationToken cancellationToken = default)
    {
        _semaphore.Wait(cancellationToken);
        return new Turn(_semaphore);
    }

    /// <inheritdoc cref="Take"/>
    /// <param name="async">False: it has completed when it returns.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<Turn> TakeAsync(bool async, CancellationToken cancellationToken)
    {
        if (!async)
        {
            return Take(cancellationToken);
        }

        await _semaphore.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Turn(_semaphore);
    }

    /// <summary>A turn that was taken.</summary>
    internal readonly struct Turn(SemaphoreSlim semaphore) : IDisposable
    {
        public void Dispose() => semaphore.Release();
    }
}
