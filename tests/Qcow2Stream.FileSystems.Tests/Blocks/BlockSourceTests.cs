using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Blocks;

/// <summary>Reads by position: their bounds, and what is said to be stored.</summary>
public sealed class BlockSourceTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];

    /// <summary>Over a stream, a chain, and parts of both, of parts too.</summary>
    public static TheoryData<string> Sources => ["stream", "chain", "part of a stream", "part of a chain", "part of a part", "cut part"];

    [Theory]
    [MemberData(nameof(Sources))]
    public void Read_IsShortAtTheEndOnly(string kind)
    {
        using TempDirectory scratch = new();
        using Qcow2Chain chain = Qcow2Chain.Open(scratch.Write("raw.img", [.. Bytes, .. new byte[24]]));
        byte[] expected = [.. Bytes, .. new byte[24]];
        IBlockSource source = kind switch
        {
            "stream" => BlockSource.FromStream(new MemoryStream(expected)),
            "chain" => BlockSource.FromChain(chain),
            "part of a stream" => BlockSource.FromStream(new MemoryStream(expected)).Slice(100, 300),
            "part of a chain" => BlockSource.FromChain(chain).Slice(100, 300),
            "part of a part" => BlockSource.FromStream(new MemoryStream(expected)).Slice(50, 500).Slice(50, 300),
            _ => BlockSource.FromStream(new MemoryStream(expected)).Slice(900, 5000),
        };
        expected = kind switch { "stream" or "chain" => expected, "cut part" => expected[900..], _ => expected[100..400] };
        Assert.Equal(expected.Length, source.Length);
        foreach ((int offset, int count) in (ReadOnlySpan<(int, int)>)[(0, 10), (7, 40), (0, 2000), (expected.Length - 5, 5), (expected.Length - 5, 50), (expected.Length, 9), (5000, 9)])
        {
            byte[] buffer = new byte[count];
            int inside = Math.Clamp(expected.Length - offset, 0, count);
            Assert.Equal(inside, source.ReadAt(offset, buffer));
            Assert.Equal(expected.Skip(offset).Take(inside), buffer.Take(inside));
        }

        Assert.Equal(0, source.ReadAt(0, []));
        Assert.Equal(0, source.ReadAt(long.MaxValue, new byte[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.ReadAt(-1, new byte[1]));
    }

    [Fact]
    public void StreamThatGivesLittleAtATime_IsReadToTheEnd()
    {
        IBlockSource source = BlockSource.FromStream(new SlowStream(Bytes));
        byte[] buffer = new byte[1000];
        Assert.Equal(1000, source.ReadAt(0, buffer));
        Assert.Equal(Bytes, buffer);
    }

    [Fact]
    public void PartBehindTheEnd_IsEmpty()
    {
        IBlockSource part = BlockSource.FromStream(new MemoryStream(Bytes)).Slice(long.MaxValue - 5, long.MaxValue);
        Assert.Equal((0, 0), (part.Length, part.ReadAt(0, new byte[5])));
        Assert.Empty(part.GetExtents(0, 10));
    }

    [Theory]
    [InlineData(-1, 5)]
    [InlineData(5, -1)]
    public void NegativeBounds_AreMisuse(long start, long length)
    {
        IBlockSource source = BlockSource.FromStream(new MemoryStream(Bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.Slice(start, length));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.GetExtents(start, length));
    }

    /// <summary>Two clusters are stored, at 128 KiB and at 512 KiB; a part starts in the first and ends in the second.</summary>
    [QemuFact]
    public async Task ExtentsOfAPart_AreShiftedAndCut()
    {
        using TempDirectory scratch = new();
        await Qemu.Img("create", "-q", "-f", "qcow2", scratch.File("disk.qcow2"), "1M");
        await Qemu.Io(scratch.File("disk.qcow2"), "qcow2", "write -P 1 128k 64k", "write -P 2 512k 64k");
        using Qcow2Chain chain = Qcow2Chain.Open(scratch.File("disk.qcow2"));
        foreach (IBlockSource source in (IBlockSource[])[BlockSource.FromChain(chain), BlockSource.FromStream(chain.OpenStream()), new StreamSource(chain.OpenStream())])
        {
            Assert.Equal([(128, 64), (512, 64)], Kilobytes(source.GetExtents(0, long.MaxValue)));
            Assert.Equal([(130, 62), (512, 8)], Kilobytes(source.GetExtents(130 << 10, 390 << 10)));
            IBlockSource part = source.Slice(144 << 10, 400 << 10);
            Assert.Equal([(0, 48), (368, 32)], Kilobytes(part.GetExtents(0, long.MaxValue)));
            Assert.Equal([(10, 38), (368, 2)], Kilobytes(part.GetExtents(10 << 10, 360 << 10)));
            Assert.Equal([(0, 48), (368, 32)], Kilobytes(part.OpenStream().Extents));
            Assert.Equal([(368, 12)], Kilobytes(part.Slice(48 << 10, 332 << 10).GetExtents(0, long.MaxValue).Select(e => new StreamExtent(e.Start + (48 << 10), e.Length))));
        }
    }

    [Fact]
    public void ManyExtentsOfAStream_AreAllTold()
    {
        StreamExtent[] extents = [.. Enumerable.Range(0, 3000).Select(i => new StreamExtent(i * 8, 4))];
        IBlockSource source = BlockSource.FromStream(SparseStream.FromStream(new MemoryStream(new byte[24_000]), Ownership.Dispose, extents));
        Assert.Equal(extents, source.GetExtents(0, 24_000));
        Assert.Equal(extents[100..2900], source.GetExtents(800, 22_400));
    }

    [Fact]
    public void StreamWithoutExtents_IsStoredAsAWhole() =>
        Assert.Equal([new StreamExtent(10, 990)], BlockSource.FromStream(new MemoryStream(Bytes)).GetExtents(10, 5000));

    /// <summary>What a file holds, too: the holes of its map are none of its extents.</summary>
    [Fact]
    public void ExtentsOfAnExtFile_AreItsData()
    {
        using Guest guest = GuestImages.Open("ext4", out _);
        using GuestMatch match = guest.Find("/sizes/sparse");
        byte[] content = new byte[match.Entry.Length];
        match.Entry.Content().ReadExactly(0, content);
        StreamExtent[] extents = [.. match.Entry.Content().GetExtents(0, long.MaxValue)];
        Assert.True(extents.Length > 0 && extents.Sum(e => e.Length) < content.Length);
        foreach (StreamExtent extent in extents)
        {
            content.AsSpan((int)extent.Start, (int)extent.Length).Clear();
        }

        Assert.False(content.AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Cursor_BehavesAsStreamsDo()
    {
        using SparseStream stream = BlockSource.FromStream(new MemoryStream(Bytes)).Slice(100, 300).OpenStream();
        Assert.True(stream.CanRead && stream.CanSeek && !stream.CanWrite);
        Assert.Equal(290, stream.Seek(-10, SeekOrigin.End));
        byte[] buffer = new byte[20];
        Assert.Equal(10, stream.Read(buffer, 0, 20));
        Assert.Equal((-1, 300), (stream.ReadByte(), stream.Position));
        stream.Position = 5;
        Assert.Equal(Bytes[105], stream.ReadByte());
        Assert.Equal(4, stream.Seek(-2, SeekOrigin.Current));
        Assert.Throws<IOException>(() => stream.Seek(-5, SeekOrigin.Current));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Position = -1);
        Assert.Throws<NotSupportedException>(() => stream.Write([1]));
        stream.Dispose();
        Assert.Throws<ObjectDisposedException>(() => stream.ReadByte());
    }

    [Fact]
    public void OwnSource_NeedsLengthAndReadAtAlone()
    {
        IBlockSource source = new OwnSource();
        Assert.Equal(BlockSource.DefaultSectorSize, source.SectorSize);
        Assert.Equal([new StreamExtent(3, 7)], source.GetExtents(3, 100));
        using Guest guest = Guest.Open(source);
        Assert.Equal("unknown", Assert.Single(guest.Volumes).Content);
    }

    private static (long Start, long Length)[] Kilobytes(IEnumerable<StreamExtent> extents) => [.. extents.Select(e => (e.Start >> 10, e.Length >> 10))];

    private sealed class OwnSource : IBlockSource
    {
        public long Length => 10;

        public int ReadAt(long offset, Span<byte> buffer)
        {
            int count = (int)Math.Clamp(10 - offset, 0, buffer.Length);
            buffer[..count].Fill(7);
            return count;
        }
    }

    private sealed class SlowStream(byte[] content) : MemoryStream(content, writable: false)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 7)]);
    }
}
