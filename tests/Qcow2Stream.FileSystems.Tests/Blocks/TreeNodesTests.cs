using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Tests.Blocks;

/// <summary>A tree's nodes have one place each, and are so many that the places can be kept.</summary>
public sealed class TreeNodesTests
{
    [Fact]
    public void NodeOfAnotherPlace_IsRefused()
    {
        TreeNodes nodes = new(most: 2, _ => []);
        nodes.Get(7, place: 1);
        nodes.Get(8, place: 2);
        nodes.Get(9, place: 3);
        nodes.Get(7, place: 1);
        Assert.Equal("its map leads to block 7 from two places", Assert.Throws<GuestException>(() => nodes.Get(7, place: 2)).Message);
    }

    [Fact]
    public void MoreNodesThanCanBeKept_AreRefused()
    {
        TreeNodes nodes = new(most: 2, _ => []);
        for (ulong block = 0; block < TreeNodes.Most; block++)
        {
            nodes.Get(block, block);
        }

        nodes.Get(0, 0);
        GuestException fault = Assert.Throws<GuestException>(() => nodes.Get(TreeNodes.Most, TreeNodes.Most));
        Assert.Equal("its map has more than 2097152 blocks of its own", fault.Message);
    }
}
