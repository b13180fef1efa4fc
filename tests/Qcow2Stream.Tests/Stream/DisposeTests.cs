using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

public class DisposeTests
{
    /// <summary>Every member that needs an open disk.</summary>
    private static readonly Dictionary<string, Func<Qcow2ChainStream, Task>> Members = new()
    {
        ["Length"] = s => Now(() => s.Length),
        ["Position"] = s => Now(() => s.Position),
        ["Position ="] = s => Now(() => s.Position = 0),
        ["Seek"] = s => Now(() => s.Seek(0, SeekOrigin.Begin)),
        ["Read(Span)"] = s => Now(() => s.Read(new byte[1].AsSpan())),
        ["Read(empty Span)"] = s => Now(() => s.Read([])),
        ["Read(array)"] = s => Now(() => s.Read(new byte[1], 0, 1)),
        ["ReadByte"] = s => Now(() => s.ReadByte()),
        ["ReadAsync(Memory)"] = s => s.ReadAsync(new byte[1]).AsTask(),
        ["ReadAsync(empty Memory)"] = s => s.ReadAsync(Memory<byte>.Empty).AsTask(),
        ["ReadAsync(array)"] = ReadArrayAsync,
        ["ReadExactly"] = s => Now(() => s.ReadAtLeast(new byte[1], 1)),
        ["CopyTo"] = s => Now(() =>
        {
            s.CopyTo(new MemoryStream());
            return 0;
        }),
        ["CopyToAsync"] = s => s.CopyToAsync(new MemoryStream()),
        ["Extents"] = s => Now(() => s.Extents.Count()),
        ["GetExtentsInRange"] = s => Now(() => s.GetExtentsInRange(0, 1)),
    };

    public static TheoryData<string> MemberNames => [.. Members.Keys];

    /// <summary>Every member of a chain that needs it to be open.</summary>
    private static readonly Dictionary<string, Func<Qcow2Chain, Task>> ChainMembers = new()
    {
        ["ReadAt"] = c => Now(() => c.ReadAt(0, new byte[1])),
        ["ReadAt(empty)"] = c => Now(() => c.ReadAt(0, [])),
        ["ReadAtAsync"] = c => c.ReadAtAsync(0, new byte[1]).AsTask(),
        ["ReadAtAsync(empty)"] = c => c.ReadAtAsync(0, Memory<byte>.Empty).AsTask(),
        ["Map"] = c => Now(c.Map),
        ["Map(range)"] = c => Now(() => c.Map(0, 1)),
        ["OpenStream"] = c => Now(c.OpenStream),
    };

    public static TheoryData<string> ChainMemberNames => [.. ChainMembers.Keys];

    [Theory]
    [MemberData(nameof(MemberNames))]
    public async Task UseAfterDispose_Throws(string member)
    {
        Qcow2ChainStream stream = SampleDisk.Single().Open();
        await Members[member](stream);
        stream.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => Members[member](stream));
    }

    [Theory]
    [MemberData(nameof(MemberNames))]
    public async Task UseAfterDisposeAsync_Throws(string member)
    {
        Qcow2ChainStream stream = SampleDisk.Single().Open();
        await stream.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => Members[member](stream));
    }

    [Theory]
    [MemberData(nameof(ChainMemberNames))]
    public async Task UseOfADisposedChain_Throws(string member)
    {
        Qcow2Chain chain = Qcow2Chain.Open(SampleDisk.Single().OpenImage());
        await ChainMembers[member](chain);
        chain.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => ChainMembers[member](chain));
    }

    [Fact]
    public void DisposedStream_CanDoNothing()
    {
        Qcow2ChainStream stream = SampleDisk.Single().Open();
        stream.Dispose();

        Assert.False(stream.CanRead);
        Assert.False(stream.CanSeek);
        Assert.False(stream.CanWrite);
    }

    [Fact]
    public async Task DisposedTwice_IsFine()
    {
        Qcow2ChainStream stream = SampleDisk.Single().Open();
        stream.Dispose();
        stream.Dispose();
        stream.Close();
        await stream.DisposeAsync();
        stream.Chain.Dispose();

        Assert.False(stream.CanRead);
    }

    [Fact]
    public void OpenedFromAStream_DisposesIt()
    {
        WatchedStream host = new(SampleDisk.Single().Image);
        Qcow2ChainStream stream = new(host);
        Assert.False(host.IsDisposed);

        stream.Dispose();

        Assert.True(host.IsDisposed);
    }

    [Fact]
    public void LeaveOpen_LeavesTheStreamUsable()
    {
        SampleDisk disk = SampleDisk.Single();
        using WatchedStream host = new(disk.Image);
        new Qcow2ChainStream(host, new Qcow2OpenOptions { LeaveOpen = true }).Dispose();

        Assert.False(host.IsDisposed);
        using Qcow2ChainStream again = new(host);
        Assert.Equal(disk.Expected[0], again.ReadByte());
    }

    [Fact]
    public void StreamOfAChain_LeavesItOpen()
    {
        SampleDisk disk = SampleDisk.Single();
        using Qcow2Chain chain = Qcow2Chain.Open(disk.OpenImage());
        chain.OpenStream().Dispose();

        byte[] bytes = new byte[disk.Length];
        Assert.Equal(disk.Length, chain.ReadAt(0, bytes));
        Assert.Equal(disk.Expected, bytes);
    }

    [Fact]
    public async Task ChainDisposedUnderAStream_ReadsThrow()
    {
        using TempDirectory directory = new();
        Qcow2Chain chain = Qcow2Chain.Open(SampleDisk.WriteChain(directory, out byte[] expected));
        using Qcow2ChainStream stream = chain.OpenStream();
        Assert.Equal(expected[0], stream.ReadByte());

        chain.Dispose();

        Assert.Throws<ObjectDisposedException>(() => stream.ReadByte());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync(new byte[10]).AsTask());
        Assert.Throws<ObjectDisposedException>(() => stream.Extents.Count());
        Assert.Equal(1, stream.Position);
    }

    [Fact]
    public void ChainDisposedWhileEnumerating_Throws()
    {
        Qcow2Chain chain = Qcow2Chain.Open(SampleDisk.Single().OpenImage());
        using IEnumerator<MapExtent> map = chain.Map().GetEnumerator();
        Assert.True(map.MoveNext());

        chain.Dispose();

        Assert.Throws<ObjectDisposedException>(() =>
        {
            while (map.MoveNext())
            {
                Assert.True(map.Current.Length > 0);
            }
        });
    }

    [Fact]
    public void OwnedChain_ClosesWithItsStream()
    {
        Qcow2ChainStream stream = SampleDisk.Single().Open();
        using Qcow2ChainStream second = stream.Chain.OpenStream();

        stream.Dispose();

        Assert.Throws<ObjectDisposedException>(() => second.ReadByte());
    }

    [Fact]
    public void DisposedByPath_FreesTheFiles()
    {
        using TempDirectory directory = new();
        string path = SampleDisk.WriteChain(directory, out _);
        using (Qcow2ChainStream stream = new(path))
        {
            Assert.Equal(2, stream.Chain.Layers.Count);
        }

        using FileStream alone = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.True(alone.CanWrite);
    }

    private static Task Now<T>(Func<T> call)
    {
        _ = call();
        return Task.CompletedTask;
    }

    // The overload with an array is what is tested here, whatever an analyzer prefers.
#pragma warning disable CA1835
    private static Task<int> ReadArrayAsync(Qcow2ChainStream stream) => stream.ReadAsync(new byte[1], 0, 1, CancellationToken.None);
#pragma warning restore CA1835
}
