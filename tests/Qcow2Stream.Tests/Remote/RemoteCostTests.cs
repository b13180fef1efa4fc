using DiscUtils.Ntfs;
using DiscUtils.Streams;
using Qcow2Stream.HostFiles.Http;
using Qcow2Stream.Tests.Infrastructure;
using Block = Qcow2Stream.HostFiles.Http.Block;

namespace Qcow2Stream.Tests.Remote;

/// <summary>How much is asked of a server, and how often.</summary>
public sealed class RemoteCostTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly TempDirectory _directory = new();
    private readonly WebServer _server;

    public RemoteCostTests()
    {
        _server = new WebServer(_directory.Path);
    }

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    [QemuFact]
    public async Task OneFileOfAGuestInTwoGiB_MovesAFewMegabytes()
    {
        byte[] wanted = GuestDisk.Noise(MiB, seed: 1);
        await WriteGuest(wanted);
        Assert.InRange(new FileInfo(_directory.File("disk.qcow2")).Length, 2048L * MiB, 2100L * MiB);

        using (Qcow2ChainStream disk = new(_server.AddressOf("disk.qcow2")))
        using (NtfsFileSystem files = new(disk))
        {
            byte[] read = new byte[wanted.Length];
            using SparseStream file = files.OpenFile(@"directory\wanted.bin", FileMode.Open, FileAccess.Read);
            file.ReadExactly(read);
            Assert.Equal(wanted, read);
        }

        Assert.InRange(_server.BytesSent, MiB, 4 * MiB);
        Assert.InRange(_server.Requests.Count, 1, 40);
    }

    [Fact]
    public void FrontToBack_TakesFewRequestsAndNoByteTwice()
    {
        byte[] content = WriteRaw(64 * MiB);
        using Qcow2ChainStream disk = new(_server.AddressOf("disk.raw"));
        byte[] buffer = new byte[MiB / 8];
        for (int offset = 0; offset < content.Length; offset += buffer.Length)
        {
            disk.ReadExactly(buffer);
            Assert.True(buffer.AsSpan().SequenceEqual(content.AsSpan(offset, buffer.Length)));
        }

        Assert.Equal(content.Length, _server.BytesSent);

        // Sixteen of 4 MiB each, and those that led up to them.
        Assert.InRange(_server.Requests.Count, 16, 26);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Copy_TakesFewRequestsAndNoByteTwice(bool async)
    {
        byte[] content = WriteRaw(32 * MiB);
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"));
        using MemoryStream copy = new(content.Length);
        if (async)
        {
            await chain.CopyToAsync(0, content.Length, copy);
        }
        else
        {
            chain.CopyTo(0, content.Length, copy);
        }

        Assert.True(copy.GetBuffer().AsSpan(0, (int)copy.Length).SequenceEqual(content));
        Assert.Equal(content.Length, _server.BytesSent);

        // Between eight of 4 MiB and one a piece of the copy, and what led up to them: it depends on which piece comes first.
        Assert.InRange(_server.Requests.Count, 8, 80);
    }

    [Fact]
    public void ScatteredReads_AskForABlockEach()
    {
        WriteRaw(16 * MiB);
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"));
        _server.Forget();
        byte[] sector = new byte[512];
        for (int i = 1; i <= 20; i++)
        {
            // Each farther than the one before, but never where that ended.
            chain.ReadAt(i * 11 * Block.Size, sector);
        }

        Assert.Equal(20, _server.Requests.Count);
        Assert.Equal(20 * Block.Size, _server.BytesSent);
    }

    [Fact]
    public void OneLargeRead_IsOneRequest()
    {
        byte[] content = WriteRaw(8 * MiB);
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"));
        _server.Forget();
        Assert.True(chain.ReadRange(3 * MiB, 2 * MiB).AsSpan().SequenceEqual(content.AsSpan(3 * MiB, 2 * MiB)));
        ServedRequest only = Assert.Single(_server.Requests);
        Assert.Equal((3 * MiB, 2 * MiB), (only.From, only.Length));
    }

    [Fact]
    public void ReadAheadOff_AsksForNothingThatNobodyWanted()
    {
        byte[] content = WriteRaw(4 * MiB);
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"), new() { Http = new() { ReadAheadBytes = 0 } });
        chain.ReadRange(0, MiB);
        chain.ReadRange(MiB, MiB);
        Assert.Equal(2 * MiB, _server.BytesSent);
        Assert.Equal(content, chain.ReadWholeDisk());
    }

    [Theory]
    [InlineData(32)]
    [InlineData(4)]
    [InlineData(1)]
    public async Task ManyReaders_MoveNoByteTwice(int cacheMiB)
    {
        byte[] content = WriteRaw(64 * MiB);
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"), new() { Http = new() { CacheBytes = cacheMiB * MiB } });
        await Parallel.ForEachAsync(Enumerable.Range(0, 16), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (piece, token) =>
        {
            byte[] bytes = new byte[4 * MiB];
            await chain.ReadAtAsync(piece * bytes.Length, bytes, token);
            Assert.True(bytes.AsSpan().SequenceEqual(content.AsSpan(piece * bytes.Length, bytes.Length)));
        });

        // What a reader has read ahead may make room for others.
        Assert.InRange(_server.BytesSent, content.Length, content.Length * 5L / 4);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SmallCache_MovesNoByteTwice(bool async)
    {
        byte[] content = WriteRaw(48 * MiB);
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"), new() { Http = new() { CacheBytes = MiB } });
        using MemoryStream copy = new(content.Length);
        if (async)
        {
            await chain.CopyToAsync(0, content.Length, copy);
        }
        else
        {
            chain.CopyTo(0, content.Length, copy);
        }

        Assert.True(copy.GetBuffer().AsSpan(0, (int)copy.Length).SequenceEqual(content));
        Assert.InRange(_server.BytesSent, content.Length, content.Length * 5L / 4);
        _server.Forget();
        Assert.Equal(content.Length, chain.ReadWholeDisk().Length);
        Assert.InRange(_server.BytesSent, content.Length - MiB, content.Length * 5L / 4);
    }

    [Fact]
    public async Task Memory_StaysInItsBoundHoweverManyWait()
    {
        WriteRaw(48 * MiB);
        Uri address = _server.AddressOf("disk.raw");
        List<WeakReference> made = [];
        HttpSource source = new(new HttpFileOptions { CacheBytes = MiB }, address, length =>
        {
            byte[] memory = new byte[length];
            lock (made)
            {
                made.Add(new WeakReference(memory));
            }

            return memory;
        });
        using var chain = Qcow2Chain.Open(new HttpHostFile(address, source, judge: null));
        chain.ReadRange(0, 2 * MiB);
        Assert.InRange(LiveBytes(), 1, MiB);

        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Before = async _ =>
        {
            await goOn.Task;
            return false;
        };
        Task[] reads = [.. Enumerable.Range(8, 32).Select(place => chain.ReadAtAsync(place * MiB, new byte[MiB]).AsTask())];
        Assert.InRange(LiveBytes(), 1, MiB);
        goOn.SetResult();
        await Task.WhenAll(reads);

        // Whoever waited has its bytes before the code that got them has let go of them.
        Assert.True(SpinWait.SpinUntil(() => LiveBytes() <= MiB, TimeSpan.FromMinutes(1)), $"{LiveBytes()} bytes");

        long LiveBytes()
        {
            GC.Collect();
            lock (made)
            {
                return made.Sum(memory => memory.Target is byte[] live ? live.Length : 0L);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    public void WantedBlock_DoesNotWaitForWhatIsReadAhead(int requestsAtOnce)
    {
        byte[] content = WriteRaw(4 * MiB);
        long[] wanted = [1, 2, 20, 40, 30];
        TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"), new() { Http = new() { MaxRequestsAtOnce = requestsAtOnce } });
        _server.Forget();
        _server.Before = async context =>
        {
            if (!wanted.Contains(ServedRequest.Of(context.Request).From / Block.Size))
            {
                await end.Task;
            }

            return false;
        };
        foreach (int offset in wanted.Select(number => (int)number * Block.Size))
        {
            Assert.Equal(content[offset..(offset + Block.Size)], chain.ReadRange(offset, Block.Size));
        }

        if (requestsAtOnce < 3)
        {
            // With two, the one that is not in use is left for others.
            Assert.Equal(wanted, _server.Requests.Select(r => r.From / Block.Size));
        }

        end.SetResult();
    }

    [Fact]
    public void OneRequestAtATime_AsksForNothingThatNobodyWanted()
    {
        byte[] content = WriteRaw(4 * MiB);
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"), new() { Http = new() { MaxRequestsAtOnce = 1 } });
        for (int offset = 0; offset < 2 * MiB; offset += MiB / 8)
        {
            Assert.Equal(content[offset..(offset + (MiB / 8))], chain.ReadRange(offset, MiB / 8));
        }

        Assert.Equal(2 * MiB, _server.BytesSent);
    }

    private byte[] WriteRaw(int length)
    {
        byte[] content = GuestDisk.Noise(length, seed: 7);
        _directory.Write("disk.raw", content);
        return content;
    }

    /// <summary>A disk of 2 GiB whose clusters are all allocated, with NTFS, and in that a file between others.</summary>
    private async Task WriteGuest(byte[] wanted)
    {
        string raw = _directory.File("guest.raw");
        using (FileStream stream = File.Create(raw))
        {
            stream.SetLength(2048L * MiB);
            using NtfsFileSystem files = NtfsFileSystem.Format(
                stream, "guest", DiscUtils.Geometry.FromCapacity(stream.Length), 0, stream.Length / 512);
            files.CreateDirectory("directory");
            for (int i = 0; i < 200; i++)
            {
                Write(files, $@"directory\other{i}.bin", GuestDisk.Noise(100_000, seed: 100 + i));
            }

            Write(files, @"directory\wanted.bin", wanted);
        }

        await Qemu.Img("create", "-q", "-f", "qcow2", "-o", "preallocation=falloc", _directory.File("disk.qcow2"), "2G");
        await Qemu.Img("convert", "-n", "-f", "raw", "-O", "qcow2", raw, _directory.File("disk.qcow2"));
    }

    private static void Write(NtfsFileSystem files, string path, byte[] content)
    {
        using SparseStream file = files.OpenFile(path, FileMode.Create, FileAccess.Write);
        file.Write(content);
    }
}
