using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// What requests share: turns, one for each request that is under way, and memory, in blocks, for what is on its way. A
/// request has its part of both through a <see cref="Lease"/>, which alone takes and gives back. Safe for any number of
/// threads. The rules:
/// <list type="bullet">
/// <item>Memory first, then a turn: a request with a turn has memory too, and comes to an end without waiting for others.</item>
/// <item>One request at a time waits for memory, and no other takes any meanwhile: two that had half of what they need would
/// wait for each other.</item>
/// <item>A request that need not wait gets all its memory and its turn at once; otherwise it gets nothing at first.</item>
/// <item>Reading ahead never waits, and leaves one turn free for readers that need something now.</item>
/// <item>A turn is for one attempt: others may have it before the next. Memory is kept until the lease is disposed.</item>
/// </list>
/// </summary>
/// <param name="turns">How many requests may be under way.</param>
/// <param name="blocks">How many blocks may be on their way.</param>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable", Justification = "Semaphores whose wait handles nobody asks for hold nothing.")]
internal sealed class RequestSlots(int turns, int blocks)
{
    private readonly SemaphoreSlim _turns = new(turns, turns);
    private readonly SemaphoreSlim _memory = new(blocks, blocks);
    private readonly SemaphoreSlim _takingMemory = new(1, 1);

    /// <summary>Leases memory and a turn, if there are both now.</summary>
    /// <param name="count">For how many blocks.</param>
    /// <returns>Null if the request would have to wait.</returns>
    public Lease? TryLease(int count) => TryLease(count, count, leavesTurn: false);

    /// <summary>Leases a turn that isn't the last, and as much memory as there is now.</summary>
    /// <param name="most">For how many blocks at most.</param>
    /// <returns>Null if there is no such turn, or no memory.</returns>
    public Lease? TryLeaseAhead(int most) => TryLease(1, most, leavesTurn: true);

    /// <summary>Makes a lease that has nothing yet, for a request that waits.</summary>
    /// <param name="count">For how many blocks.</param>
    public Lease LeaseLater(int count) => new(this, count, isReady: false);

    private Lease? TryLease(int least, int most, bool leavesTurn)
    {
        if (most < least || !_turns.Wait(0))
        {
            return null;
        }

        int taken = 0;
        if (!(leavesTurn && _turns.CurrentCount == 0) && _takingMemory.Wait(0))
        {
            while (taken < most && _memory.Wait(0))
            {
                taken++;
            }

            _takingMemory.Release();
        }

        Lease lease = new(this, taken, isReady: true);
        if (taken >= least)
        {
            return lease;
        }

        lease.Dispose();
        return null;
    }

    private static ValueTask WaitAsync(SemaphoreSlim semaphore, bool async, CancellationToken cancellationToken)
    {
        if (async)
        {
            return new ValueTask(semaphore.WaitAsync(cancellationToken));
        }

        semaphore.Wait(cancellationToken);
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// One request's memory and turn. The code that makes the request disposes it when that has ended, well or badly, or was never
    /// sent; a second time does nothing. For one thread at a time.
    /// </summary>
    public sealed class Lease : IDisposable
    {
        private readonly RequestSlots _slots;
        private int _memory;
        private bool _hasTurn;
        private bool _isDisposed;

        /// <summary>Initializes a lease.</summary>
        /// <param name="slots">Where it takes from, and gives back to.</param>
        /// <param name="blocks">For how many blocks it is.</param>
        /// <param name="isReady">Whether memory for all of them, and a turn, were taken for it.</param>
        internal Lease(RequestSlots slots, int blocks, bool isReady)
        {
            _slots = slots;
            Blocks = blocks;
            _memory = isReady ? blocks : 0;
            _hasTurn = isReady;
        }

        /// <summary>For how many blocks it is.</summary>
        public int Blocks { get; private set; }

        /// <summary>Gives back the memory of all blocks but so many.</summary>
        public void Shrink(int blocks)
        {
            Debug.Assert(blocks <= Blocks, "a lease gets no larger");
            Blocks = blocks;
            GiveBackMemory(_memory - blocks);
        }

        /// <summary>Waits for memory for all blocks, as far as there is none yet.</summary>
        /// <param name="async">False: it has completed when this returns.</param>
        /// <param name="cancellationToken">Ends the wait. What it has got by then is given back by <see cref="Dispose"/>.</param>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
        public async ValueTask TakeMemoryAsync(bool async, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_memory == Blocks)
            {
                return;
            }

            await WaitAsync(_slots._takingMemory, async, cancellationToken).ConfigureAwait(false);
            try
            {
                for (; _memory < Blocks; _memory++)
                {
                    await WaitAsync(_slots._memory, async, cancellationToken).ConfigureAwait(false);
                }
            }
            finally
            {
                _slots._takingMemory.Release();
            }
        }

        /// <summary>Waits for a turn, unless there is one yet. Memory comes first.</summary>
        /// <param name="async">False: it has completed when this returns.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>What to dispose when the attempt has ended, so that others have the turn.</returns>
        /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
        public async ValueTask<Turn> TakeTurnAsync(bool async, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Debug.Assert(_memory == Blocks, "who has a turn has memory");
            if (!_hasTurn)
            {
                await WaitAsync(_slots._turns, async, cancellationToken).ConfigureAwait(false);
                _hasTurn = true;
            }

            return new Turn(this);
        }

        /// <summary>Gives back all that it has.</summary>
        public void Dispose()
        {
            _isDisposed = true;
            GiveBackMemory(_memory);
            GiveBackTurn();
        }

        private void GiveBackMemory(int count)
        {
            if (count > 0)
            {
                _memory -= count;
                _slots._memory.Release(count);
            }
        }

        private void GiveBackTurn()
        {
            if (_hasTurn)
            {
                _hasTurn = false;
                _slots._turns.Release();
            }
        }

        /// <summary>The turn of one attempt. Disposing it gives back the turn, and leaves the lease its memory.</summary>
        public readonly struct Turn(Lease lease) : IDisposable
        {
            public void Dispose() => lease.GiveBackTurn();
        }
    }
}
