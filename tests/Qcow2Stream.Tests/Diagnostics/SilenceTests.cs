using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Diagnostics;

/// <summary>Nobody listens: nothing is counted, nothing is allocated. And what there is to listen to is what is documented.</summary>
[Collection(nameof(DiagnosticsCollection))]
public sealed class SilenceTests : IDisposable
{
    private const int Step = 4096;
    private const int Half = 8 << 16;

    private readonly TempDirectory _directory = new();
    private readonly Qcow2Chain _chain;

    public SilenceTests()
    {
        string path = _directory.File("disk.qcow2");
        SampleDisk.DataThenCompressed().WriteTo(path);
        _chain = Qcow2Chain.Open(path);
    }

    public void Dispose()
    {
        _chain.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Half)]
    public void NobodyListens_ReadsAllocateNothing(int start)
    {
        ReadHalf(start);
        Assert.All(Instruments(), instrument => Assert.False(instrument.Enabled));
        Assert.Equal(0, AllocatedByReads(start));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Half)]
    public void ListenerThatHasGone_IsToldNothingMoreAndCostsNothing(int start)
    {
        Recording recording = new();
        ReadHalf(start);
        Assert.NotEqual(0, recording.Take(Qcow2Diagnostics.CacheHits));
        recording.Dispose();
        recording.Clear();
        Assert.Equal(0, AllocatedByReads(start));
        Assert.Equal(0, recording.Take(Qcow2Diagnostics.HostReads) + recording.Take(Qcow2Diagnostics.CacheHits));
        Assert.Empty(recording.Activities);
    }

    [Fact]
    public void NobodyListens_ThereIsNoActivity()
    {
        using Activity callers = new Activity("caller's").Start();
        using WatchedStream image = new(SampleDisk.Single().Image) { Reading = _ => Assert.Same(callers, Activity.Current) };
        using var chain = Qcow2Chain.Open(image);
        chain.CopyTo(0, chain.Length, System.IO.Stream.Null);
        Assert.NotEqual(0, image.Reads);
    }

    [Fact]
    public void Instruments_AreThoseDocumented()
    {
        ReadHalf(0);
        Assert.True(Qcow2Diagnostics.IsSupported);
        FieldInfo[] constants = typeof(Qcow2Diagnostics).GetFields(BindingFlags.Public | BindingFlags.Static);
        IEnumerable<string> documented = constants
            .Where(c => c.Name != nameof(Qcow2Diagnostics.MeterName) && !c.Name.EndsWith("Tag", StringComparison.Ordinal))
            .Select(c => (string)c.GetRawConstantValue()!)
            .Where(name => name.StartsWith("qcow2stream.", StringComparison.Ordinal));
        List<Instrument> instruments = Instruments();

        // Other tests load the library once more, and each copy has a meter of its own.
        Assert.NotEmpty(instruments);
        Assert.All(instruments.GroupBy(i => i.Meter), copy => Assert.Equal(documented.Order(), copy.Select(i => i.Name).Order()));
        Assert.All(instruments, instrument =>
        {
            Assert.NotEmpty(instrument.Description!);
            Assert.Equal(instrument is Histogram<double>, instrument.Unit == "s");
            Assert.Equal(instrument is Histogram<double>, instrument.Name.EndsWith(".duration", StringComparison.Ordinal));
            Assert.Matches("^(s|By|\\{[a-z]+\\})$", instrument.Unit);
            Assert.NotEmpty(instrument.Meter.Version!);
        });
        Assert.All(instruments.OfType<Histogram<double>>(), h => Assert.NotEmpty(h.Advice!.HistogramBucketBoundaries!));
    }

    /// <summary>All of the library's instruments, and no subscription to any.</summary>
    private static List<Instrument> Instruments()
    {
        List<Instrument> instruments = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Name == Qcow2Diagnostics.MeterName)
            {
                instruments.Add(instrument);
            }
        };
        listener.Start();
        Assert.NotEmpty(instruments);
        return instruments;
    }

    private long AllocatedByReads(int start)
    {
        // Warms up the tables and the clusters, and the code.
        for (int round = 0; round < 50; round++)
        {
            ReadHalf(start);
        }

        byte[] buffer = new byte[Step];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 50; round++)
        {
            ReadHalf(start, buffer);
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private void ReadHalf(int start) => ReadHalf(start, new byte[Step]);

    private void ReadHalf(int start, byte[] buffer)
    {
        for (int done = 0; done < Half; done += Step)
        {
            if (_chain.ReadAt(start + done, buffer) != Step)
            {
                Assert.Fail("Too little was read.");
            }
        }
    }
}
