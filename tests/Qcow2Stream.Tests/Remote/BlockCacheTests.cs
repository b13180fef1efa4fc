using Qcow2Stream.HostFiles.Http;

namespace Qcow2Stream.Tests.Remote;

/// <summary>The cache of what servers sent, and what it counts.</summary>
public sealed class BlockCacheTests
{
    /// <summary>Memory that there was not for a block is free for others once the block is given up.</summary>
    [Fact]
    public void BlockWithoutMemory_TakesNoneFromOthers()
    {
        bool isFull = true;
        BlockCache cache = new(capacity: 2, length => isFull ? throw new InsufficientMemoryException() : new byte[length]);
        Block refused = new(null!, 0, 1);
        cache.Expect(refused, isAhead: false);
        Assert.Throws<InsufficientMemoryException>(() => cache.GiveMemory([refused]));
        cache.Forget(refused);
        Assert.False(cache.Has(null!, 0));

        isFull = false;
        foreach (int number in new[] { 1, 2 })
        {
            Block block = new(null!, number, 1);
            cache.Expect(block, isAhead: false);
            cache.GiveMemory([block]);
            cache.Keep(block);
        }

        Assert.True(cache.Has(null!, 1));
        Assert.True(cache.Has(null!, 2));
    }
}
