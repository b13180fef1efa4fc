using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

public sealed class AllocationTests : IDisposable
{
    private const int Step = 4096;
    private const int Half = 8 << 16;

    private readonly TempDirectory _directory = new();
    private readonly Qcow2ChainStream _stream;

    public AllocationTests()
    {
        string path = _directory.File("disk.qcow2");
        SampleDisk.DataThenCompressed().WriteTo(path);
        _stream = new Qcow2ChainStream(path);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void SmallReadsOfData_AllocateNothing() => Assert.Equal(0, AllocatedBy(start: 0));

    [Fact]
    public void SmallReadsOfKeptCompressedClusters_AllocateNothing() => Assert.Equal(0, AllocatedBy(start: Half));

    private long AllocatedBy(int start)
    {
        byte[] buffer = new byte[Step];

        // Warms up the tables and the clusters, and the code.
        for (int round = 0; round < 50; round++)
        {
            ReadHalf(start, buffer);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 50; round++)
        {
            ReadHalf(start, buffer);
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private void ReadHalf(int start, byte[] buffer)
    {
        _stream.Position = start;
        for (int done = 0; done < Half; done += Step)
        {
            int read = _stream.Read(buffer);
            if (read != Step)
            {
                Assert.Fail($"Only {read} bytes were read.");
            }
        }
    }
}
