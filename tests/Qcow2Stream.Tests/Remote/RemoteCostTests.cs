using DiscUtils.Ntfs;
using DiscUtils.Streams;
using Qcow2Stream.IO.Http;
using Qcow2Stream.Tests.Infrastructure;
using Block = Qcow2Stream.IO.Http.Block;

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
        Assert.InRange(_server.Requests.Count, 8, 40);
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

    [Fact]
    public void Memory_StaysInItsBound()
    {
        byte[] content = WriteRaw(16 * MiB);
        Uri address = _server.AddressOf("disk.raw");
        HttpSource source = new(new HttpFileOptions { CacheBytes = MiB }, address);
        using var chain = Qcow2Chain.Open(new HttpHostFile(address, source, judge: null));
        Assert.Equal(content, chain.ReadWholeDisk());
        Assert.InRange(source.Blocks.Count, 1, MiB / Block.Size);
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
