using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>What a file's extents say and what its bytes are comes of one translation, in every reader of ours.</summary>
public sealed class ExtentTests
{
    /// <summary>What is said to be stored, with zeros between, is what reading gives: also where only a part is asked for.</summary>
    [Theory]
    [InlineData("xfs-v4")]
    [InlineData("xfs-today")]
    [InlineData("btrfs")]
    [InlineData("btrfs-today")]
    [InlineData("btrfs-subvolumes")]
    [InlineData("btrfs-raid0")]
    [InlineData("btrfs-raid6")]
    [InlineData("ext4")]
    [InlineData("ext4-1k")]
    [InlineData("fat32")]
    public void ExtentsAndBytes_Agree(string name)
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(name)));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        int count = 0;
        foreach ((string path, GuestEntry entry) in files.Root.EnumerateTree().Where(below => below.Entry.Kind == GuestEntryKind.File))
        {
            FileContent content = entry.Content();
            byte[] read = new byte[content.Length];
            Assert.Equal(read.Length, content.ReadAt(0, read));
            byte[] stored = new byte[content.Length];
            long end = 0;
            foreach (StreamExtent extent in content.GetExtents(0, content.Length))
            {
                Assert.InRange(extent.Start, end, content.Length - extent.Length);
                end = extent.Start + extent.Length;
                Assert.Equal(extent.Length, content.ReadAt(extent.Start, stored.AsSpan((int)extent.Start, (int)extent.Length)));
            }

            Assert.True(read.AsSpan().SequenceEqual(stored), path);
            count++;
        }

        Assert.NotEqual(0, count);
    }
}
