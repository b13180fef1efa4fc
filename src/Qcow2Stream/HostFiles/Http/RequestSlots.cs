using System.Diagnostics.CodeAnalysis;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// What a request needs before it is sent: memory for what it asks for, and then a turn. Who has to wait takes them in this
/// order, so that whoever has a turn has memory too, and comes to an end.
/// </summary>
/// <param name="turns">How many requests may be under way.</param>
/// <param name="blocks">How many blocks may be on their way.</param>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable", Justification = "Semaphores whose wait handles nobody asks for hold nothing.")]
internal sealed class RequestSlots(int turns, int blocks)
{
    private readonly SemaphoreSlim _turns = new(turns, turns);
    private readonly SemaphoreSlim _memory = new(blocks, blocks);
    private readonly SemaphoreSlim _taking = new(1, 1);

    /// <summary>Waits for memory.</summary>
    public async ValueTask TakeMemoryAsync(int count, bool async, CancellationToken cancellationToken)
    {
        // One at a time: two that had half of what they need would wait for each other.
        await WaitAsync(_taking, async, cancellationToken).ConfigureAwait(false);
        int taken = 0;
        try
        {
            for (; taken < count; taken++)
            {
                await WaitAsync(_memory, async, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            GiveBackMemory(taken);
            throw;
        }
        finally
        {
            _taking.Release();
        }
    }

    /// <summary>Waits for a turn.</summary>
    public ValueTask TakeTurnAsync(bool async, CancellationToken cancellationToken) => WaitAsync(_turns, async, cancellationToken);

    /// <summary>Takes a turn, and memory for as much as there is, if nobody has to wait for that.</summary>
    /// <param name="most">How many blocks at most.</param>
    /// <param name="leavesTurn">Whether a turn must be left for others.</param>
    /// <returns>For how many blocks; 0 if nothing was taken.</returns>
    public int TryTake(int most, bool leavesTurn)
    {
        if (most == 0 || !_turns.Wait(0))
        {
            return 0;
        }

        int taken = 0;
        if (!(leavesTurn && _turns.CurrentCount == 0) && _taking.Wait(0))
        {
            while (taken < most && _memory.Wait(0))
            {
                taken++;
            }

            _taking.Release();
        }

        if (taken == 0)
        {
            GiveBackTurn();
        }

        return taken;
    }

    public void GiveBackMemory(int count)
    {
        if (count > 0)
        {
            _memory.Release(count);
        }
    }

    public void GiveBackTurn() => _turns.Release();

    private static ValueTask WaitAsync(SemaphoreSlim semaphore, bool async, CancellationToken cancellationToken)
    {
        if (async)
        {
            return new ValueTask(semaphore.WaitAsync(cancellationToken));
        }

        semaphore.Wait(cancellationToken);
        return ValueTask.CompletedTask;
    }
}
