using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

public sealed class ReadTests : IDisposable
{
    private readonly SampleDisk _disk = SampleDisk.Single();
    private readonly Qcow2ChainStream _stream;

    public ReadTests()
    {
        _stream = _disk.Open();
    }

    public void Dispose() => _stream.Dispose();

    [Fact]
    public void NewStream_IsReadableAndSeekableAndAtTheStart()
    {
        Assert.True(_stream.CanRead);
        Assert.True(_stream.CanSeek);
        Assert.False(_stream.CanWrite);
        Assert.False(_stream.CanTimeout);
        Assert.Equal(_disk.Length, _stream.Length);
        Assert.Equal(0, _stream.Position);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(5000)]
    [InlineData(65536)]
    [InlineData(1 << 20)]
    public void SpanReads_WholeDisk(int count)
    {
        byte[] disk = new byte[_disk.Length];
        int position = 0;
        while (_stream.Read(disk.AsSpan(position, Math.Min(count, disk.Length - position))) is > 0 and int read)
        {
            Assert.Equal(Math.Min(count, disk.Length - position), read);
            position += read;
            Assert.Equal(position, _stream.Position);
        }

        Assert.Equal(_disk.Expected, disk);
    }

    [Fact]
    public void ArrayRead_FillsItsPartOfTheArrayOnly()
    {
        byte[] buffer = new byte[3000];
        buffer.AsSpan().Fill(0xA5);

        Assert.Equal(2000, _stream.Read(buffer, 500, 2000));

        Assert.Equal(_disk.Expected[..2000], buffer[500..2500]);
        Assert.False(buffer.AsSpan(0, 500).ContainsAnyExcept((byte)0xA5));
        Assert.False(buffer.AsSpan(2500).ContainsAnyExcept((byte)0xA5));
    }

    [Fact]
    public void ZerosOverAUsedBuffer_AreWritten()
    {
        byte[] buffer = new byte[3 * SampleDisk.ClusterSize];
        buffer.AsSpan().Fill(0xA5);
        _stream.Position = 5 * SampleDisk.ClusterSize;

        Assert.Equal(buffer.Length, _stream.Read(buffer));

        Assert.False(buffer.AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void ReadAcrossTheEnd_GivesWhatIsThere()
    {
        byte[] buffer = new byte[4096];
        _stream.Position = _disk.Length - 100;

        Assert.Equal(100, _stream.Read(buffer));

        Assert.Equal(_disk.Expected[^100..], buffer[..100]);
        Assert.Equal(_disk.Length, _stream.Position);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1L << 40)]
    public async Task ReadAtAndPastTheEnd_GivesNothing(long beyond)
    {
        byte[] buffer = new byte[16];
        _stream.Position = _disk.Length + beyond;

        Assert.Equal(0, _stream.Read(buffer));
        Assert.Equal(0, _stream.Read(buffer, 0, 16));
        Assert.Equal(0, await _stream.ReadAsync(buffer));
        Assert.Equal(0, await _stream.ReadAsync(buffer.AsMemory(0, 16), CancellationToken.None));
        Assert.Equal(-1, _stream.ReadByte());
        Assert.Equal(_disk.Length + beyond, _stream.Position);
        Assert.Equal(new byte[16], buffer);
    }

    [Fact]
    public void PositionAtTheLargestNumber_ReadsNothing()
    {
        _stream.Position = long.MaxValue;

        Assert.Equal(0, _stream.Read(new byte[1]));
        Assert.Equal(0, _stream.Chain.ReadAt(long.MaxValue, new byte[1]));
        Assert.Equal(long.MaxValue, _stream.Position);
    }

    [Fact]
    public async Task ZeroLengthReads_GiveNothingAnywhere()
    {
        foreach (long position in (long[])[0, 4096, _disk.Length, _disk.Length + 1])
        {
            _stream.Position = position;
            Assert.Equal(0, _stream.Read([]));
            Assert.Equal(0, _stream.Read([], 0, 0));
            Assert.Equal(0, await _stream.ReadAsync(Memory<byte>.Empty));
            Assert.Equal(position, _stream.Position);
        }
    }

    [Fact]
    public void ReadByte_WalksTheDisk()
    {
        for (int position = 0; position < _disk.Length; position++)
        {
            Assert.Equal(_disk.Expected[position], _stream.ReadByte());
        }

        Assert.Equal(-1, _stream.ReadByte());
        Assert.Equal(_disk.Length, _stream.Position);
    }

    [Fact]
    public void ReadAt_LeavesTheCursor()
    {
        byte[] buffer = new byte[100];
        _stream.Position = 12;

        Assert.Equal(100, _stream.Chain.ReadAt(36864, buffer));

        Assert.Equal(_disk.Expected[36864..36964], buffer);
        Assert.Equal(12, _stream.Position);
    }

    [Fact]
    public void ReadExactlyAcrossTheEnd_Throws()
    {
        _stream.Position = _disk.Length - 8;

        Assert.Throws<EndOfStreamException>(() => _stream.ReadExactly(new byte[9]));
    }

    [Fact]
    public void BadArrayArguments_Throw()
    {
        Assert.Throws<ArgumentNullException>("buffer", () => _stream.Read(null!, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>("offset", () => _stream.Read(new byte[4], -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => _stream.Read(new byte[4], 0, -1));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => _stream.Read(new byte[4], 2, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => _stream.Chain.ReadAt(-1, new byte[1]));
        Assert.Equal(0, _stream.Position);
    }

    [Fact]
    public void OldAsynchronousPattern_ReadsAtTheCursor()
    {
        byte[] buffer = new byte[9000];
        _stream.Position = 1000;

        Assert.Equal(9000, _stream.EndRead(_stream.BeginRead(buffer, 0, 9000, null, null)));

        Assert.Equal(_disk.Expected[1000..10000], buffer);
        Assert.Equal(10000, _stream.Position);
    }

    [Fact]
    public void DamagedCluster_ReadFailsAndMovesNothing()
    {
        Qcow2Image image = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = 8 << 12,
            Clusters = [GuestClusters.Data(0, 0x11), GuestClusters.RawEntry(1, 0x1200), GuestClusters.Data(2, 0x22)],
        }.Build();
        using Qcow2ChainStream stream = new(new MemoryStream(image.ToBytes()));
        stream.Position = 4000;

        Qcow2FormatException e = Assert.Throws<Qcow2FormatException>(() => stream.Read(new byte[200]));

        Assert.Equal(4096, e.GuestOffset);
        Assert.Equal(4000, stream.Position);
        stream.Position = 8192;
        Assert.Equal(0x22, stream.ReadByte());
    }
}
