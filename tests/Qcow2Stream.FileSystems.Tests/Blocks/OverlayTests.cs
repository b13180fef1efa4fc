using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Tests.Blocks;

/// <summary>What a replayed journal writes is read in the place of what the volume has, to the byte, and nothing beside it.</summary>
public sealed class OverlayTests
{
    /// <summary>Held against a plain array, at random places and lengths.</summary>
    [Fact]
    public void Reads_AreAsIfItHadBeenWritten()
    {
        Random random = new(7);
        byte[] expected = new byte[64 << 10];
        random.NextBytes(expected);
        using FileSystemSource volume = new(BlockSource.FromStream(new MemoryStream([.. expected])), [], GuestOptions.Default);
        Overlay overlay = new(512, maxBytes: 1 << 20);
        volume.Replayed = overlay;
        byte[] written = new byte[4 << 10];
        for (int i = 0; i < 40; i++)
        {
            random.NextBytes(written);
            int length = random.Next(1, 9) * 512;
            int offset = random.Next(120) * 512;
            overlay.Write(offset, written.AsSpan(0, length));
            written.AsSpan(0, length).CopyTo(expected.AsSpan(offset));
            for (int j = 0; j < 50; j++)
            {
                byte[] buffer = new byte[random.Next(5000)];
                int at = random.Next(expected.Length - buffer.Length);
                volume.ReadExactly(at, buffer);
                Assert.True(expected.AsSpan(at, buffer.Length).SequenceEqual(buffer));
            }
        }

        Assert.InRange(overlay.Length, 1, expected.Length);
    }

    /// <summary>Content may be journaled too: a part of a file that only the journal has is no hole.</summary>
    [Fact]
    public void Extents_HaveWhatIsWritten()
    {
        Overlay overlay = new(512, maxBytes: 1 << 20);
        overlay.Write(4096, new byte[1024]);
        overlay.Write(10240, new byte[512]);
        Assert.Equal([new StreamExtent(100, 1000), new StreamExtent(4096, 1024)], overlay.Join([new StreamExtent(100, 1000)], 0, 6000));
        Assert.Equal([new StreamExtent(4200, 100)], overlay.Join([], 4200, 100));
        Assert.Equal([new StreamExtent(0, 20000)], overlay.Join([new StreamExtent(0, 20000)], 0, 20000));
        Assert.Empty(overlay.Join([], 5120, 5120));
    }

    [Fact]
    public void MoreThanMayBeKept_IsRefused()
    {
        Overlay overlay = new(512, maxBytes: 1024);
        overlay.Write(0, new byte[1024]);
        overlay.Write(512, new byte[512]);
        Assert.Throws<GuestException>(() => overlay.Write(1024, new byte[512]));
    }
}
