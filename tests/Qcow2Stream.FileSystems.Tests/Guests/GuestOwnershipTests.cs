using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Who closes what: the guest what it was opened from, also if opening fails, unless it is told not to.</summary>
public sealed class GuestOwnershipTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Stream_IsClosedUnlessLeftOpen(bool leaveOpen)
    {
        TrackedStream stream = new(new byte[1 << 20]);
        Guest.Open(stream, new GuestOptions { LeaveOpen = leaveOpen }).Dispose();
        Assert.Equal(!leaveOpen, stream.IsDisposed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Chain_IsClosedUnlessLeftOpen(bool leaveOpen)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(GuestImages.Disk("ext4"));
        Guest.Open(chain, new GuestOptions { LeaveOpen = leaveOpen }).Dispose();
        Exception? thrown = Record.Exception(() => chain.ReadAt(0, new byte[512]));
        Assert.Equal(leaveOpen, thrown is null);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Source_IsClosedIfItCanBe(bool leaveOpen)
    {
        Source source = new(new byte[4096]);
        Guest.Open(source, new GuestOptions { LeaveOpen = leaveOpen }).Dispose();
        Assert.Equal(!leaveOpen, source.IsDisposed);
    }

    [Fact]
    public void SecondDispose_DoesNothing()
    {
        Source source = new(new byte[4096]);
        Guest guest = Guest.Open(source);
        guest.Dispose();
        guest.Dispose();
        Assert.Equal(1, source.Disposals);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DiskThatCannotBeOpened_IsClosedToo(bool leaveOpen)
    {
        GuestOptions options = new() { LeaveOpen = leaveOpen };
        TrackedStream stream = new(new byte[4096]) { MaxReads = 0 };
        Assert.Throws<IOException>(() => Guest.Open(stream, options));
        Assert.Equal(!leaveOpen, stream.IsDisposed);

        Source source = new(content: null);
        Assert.Throws<IOException>(() => Guest.Open(source, options));
        Assert.Equal(!leaveOpen, source.IsDisposed);

        TrackedStream cancelled = new(new byte[512]);
        Assert.Throws<OperationCanceledException>(() => Guest.Open(cancelled, options, new CancellationToken(canceled: true)));
        Assert.Equal(!leaveOpen, cancelled.IsDisposed);
    }

    [Fact]
    public void StreamThatCannotSeek_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Guest.Open(new System.IO.Compression.DeflateStream(Stream.Null, System.IO.Compression.CompressionMode.Decompress)));

    /// <summary>Whatever was opened of a guest ends with it, though its stream stays open.</summary>
    [Fact]
    public void GuestThatIsDisposed_EndsAllReads()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(GuestImages.Disk("ext4"));
        Guest guest = Guest.Open(chain, new GuestOptions { LeaveOpen = true });
        GuestVolume volume = guest.Volumes[0];
        GuestFileSystem files = volume.OpenFileSystem();
        guest.Dispose();
        Assert.Throws<ObjectDisposedException>(() => guest.Find("/"));
        Assert.Throws<ObjectDisposedException>(() => volume.OpenFileSystem());
        Assert.Throws<ObjectDisposedException>(() => volume.OpenStream());
        Assert.Throws<ObjectDisposedException>(() => volume.Source.ReadAt(0, new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => files.Root.EnumerateChildren().Count());
    }

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs-v5")]
    [InlineData("fat16")]
    public void FileSystemThatIsDisposed_EndsItsReads(string name)
    {
        using Guest guest = GuestImages.Open(name, out _);
        GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        GuestEntry file = files.Find("/etc/os-release")!;
        files.Dispose();
        Assert.Throws<ObjectDisposedException>(() => files.Find("/etc"));
        Assert.Throws<ObjectDisposedException>(() => files.GetUsage());
        Assert.ThrowsAny<Exception>(() => file.CopyContentTo(Stream.Null));
        using GuestMatch other = guest.Find("/etc/os-release");
        other.Entry.CopyContentTo(Stream.Null);
    }

    /// <summary>A header that the boot record announces, without a right checksum.</summary>
    /// <param name="content">Null: it can't be read.</param>
    private sealed class Source(byte[]? content) : IBlockSource, IDisposable
    {
        public bool IsDisposed => Disposals > 0;

        public int Disposals { get; private set; }

        public long Length => content?.Length ?? 4096;

        public int ReadAt(long offset, Span<byte> buffer)
        {
            if (content is null)
            {
                throw new IOException("the disk can't be read");
            }

            int count = (int)Math.Clamp(content.Length - offset, 0, buffer.Length);
            content.AsSpan((int)offset, count).CopyTo(buffer);
            return count;
        }

        public void Dispose() => Disposals++;
    }
}
