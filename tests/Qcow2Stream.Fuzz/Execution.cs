namespace Qcow2Stream.Fuzz;

/// <summary>One run of a harness, held to the bound on memory. The bound on time is AFL's.</summary>
public static class Execution
{
    // The largest buffers that an image can rightly ask for are some MiB: a table, a cluster, its compressed bytes.
    private const long MostAllocated = 64 << 20;

    /// <summary>Runs a harness once.</summary>
    /// <exception cref="BrokenInvariantException">The library broke a promise, or allocated more than 64 MiB.</exception>
    public static void Run(IHarness harness, ArraySegment<byte> input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        harness.Run(input);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > MostAllocated)
        {
            throw new BrokenInvariantException($"{allocated} bytes were allocated; {MostAllocated} are allowed");
        }
    }
}
