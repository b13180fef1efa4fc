using Qcow2Stream.HostFiles.Http;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Whether all turns and all memory are free, found out by taking them.</summary>
internal static class FreeSlots
{
    public static void AssertAll(RequestSlots slots, int turns, int blocks)
    {
        int each = Math.Max(1, blocks / turns);
        List<RequestSlots.Lease> leases = [];
        for (int turn = 1; turn <= turns; turn++)
        {
            int count = turn < turns ? each : blocks - ((turns - 1) * each);
            RequestSlots.Lease? lease = slots.TryLease(count);
            Assert.True(lease is not null, $"turn {turn} of {turns}, with {count} of {blocks} blocks, is not free");
            leases.Add(lease);
        }

        Assert.Null(slots.TryLease(1));
        leases.ForEach(lease => lease.Dispose());
    }
}
