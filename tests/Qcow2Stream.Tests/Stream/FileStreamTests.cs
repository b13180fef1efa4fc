using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

/// <summary>A chain over the caller's own FileStream reads by position, beside the caller.</summary>
public sealed class FileStreamTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task ReadingMovesNoCursor()
    {
        SampleDisk disk = SampleDisk.Single();
        using FileStream file = File.OpenRead(_directory.Write("image.qcow2", disk.Image));
        file.Position = 123;
        using Qcow2Chain chain = Qcow2Chain.Open(file, new Qcow2OpenOptions { LeaveOpen = true });
        Assert.Equal(disk.Expected, chain.ReadWholeDisk());
        byte[] buffer = new byte[disk.Length];
        Assert.Equal(disk.Length, await chain.ReadAtAsync(0, buffer));
        Assert.Equal(disk.Expected, buffer);
        Assert.Equal(123, file.Position);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void DisposedChain_LeavesTheStreamAsAsked(bool leaveOpen)
    {
        SampleDisk disk = SampleDisk.Single();
        using FileStream file = File.OpenRead(_directory.Write("image.qcow2", disk.Image));
        Qcow2Chain chain = Qcow2Chain.Open(file, new Qcow2OpenOptions { LeaveOpen = leaveOpen });
        chain.Dispose();
        Assert.Equal(leaveOpen, file.CanRead);
        Assert.Throws<ObjectDisposedException>(() => chain.ReadAt(0, new byte[1]));
    }

    /// <summary>Opened from a stream, the top image is still known for the file that it is.</summary>
    [UnixFact]
    public void ImageThatNamesItsOwnFile_IsALoop()
    {
        byte[] image = new Qcow2Builder { Size = 1 << 20, BackingFile = "self.qcow2", BackingFormat = "qcow2" }.Build().ToBytes();
        using FileStream file = File.OpenRead(_directory.Write("self.qcow2", image));
        NamedFileException error = Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(file, new Qcow2OpenOptions { Follow = FollowPolicy.SameDirectory }));
        Assert.Contains("the chain loops", error.Message, StringComparison.Ordinal);
    }
}
