using System.Diagnostics.Metrics;
using Qcow2Stream.HostFiles.Http;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Remote;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Diagnostics;

/// <summary>Listeners are called in the middle of the library's work, and may do anything: throw, wait, or use the library.</summary>
[Collection(nameof(DiagnosticsCollection))]
public sealed class ListenerFaultTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _directory = new();
    private readonly WebServer _server;
    private readonly byte[] _content = GuestDisk.Noise(1 << 20, seed: 3);

    public ListenerFaultTests()
    {
        _server = new WebServer(_directory.Path);
        _directory.Write("disk.raw", _content);
    }

    public static TheoryData<string, bool> Instruments
    {
        get
        {
            TheoryData<string, bool> all = [];
            foreach (string name in (string[])[
                Qcow2Diagnostics.CacheMisses, Qcow2Diagnostics.CacheHits, Qcow2Diagnostics.HostReads, Qcow2Diagnostics.HttpRequests,
                Qcow2Diagnostics.HttpReceivedBytes, Qcow2Diagnostics.HttpRequestDuration])
            {
                all.Add(name, false);
                all.Add(name, true);
            }

            return all;
        }
    }

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    /// <summary>Whatever is counted when: the read that it happens in may fail, and all that come later get their bytes.</summary>
    [Theory]
    [MemberData(nameof(Instruments))]
    public async Task ListenerThatThrows_HarmsNoLaterRead(string instrument, bool async)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(
            _server.AddressOf("disk.raw"), new() { Http = new() { MaxRetries = 0, MaxRequestsAtOnce = 1, CacheBytes = 1 << 20 } });
        int thrown = 0;
        using (Listen(instrument, () => throw new InvalidOperationException($"fault {++thrown}")))
        {
            for (int i = 0; i < 3; i++)
            {
                await Record.ExceptionAsync(() => Read(chain, async));
            }
        }

        Assert.NotEqual(0, thrown);
        Assert.Equal(_content, await Read(chain, async));
    }

    /// <summary>A listener may wait for somebody who reads the same file.</summary>
    [Theory]
    [MemberData(nameof(Instruments))]
    public async Task ListenerThatWaits_HoldsNobodyUp(string instrument, bool async)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"), new() { Http = new() { ReadAheadBytes = 0 } });
        int calls = 0;
        TaskCompletionSource<bool> isFree = new();
        using (Listen(instrument, () =>
        {
            if (Interlocked.Increment(ref calls) == 1)
            {
                isFree.SetResult(Task.Run(() => chain.ReadAt(_content.Length - Block.Size, new byte[Block.Size])).Wait(Long));
            }
        }))
        {
            byte[] start = new byte[Block.Size];
            await ReadAt(chain, 2 * Block.Size, start, async);
            await ReadAt(chain, 2 * Block.Size, start, async);
            Assert.Equal(_content[(2 * Block.Size)..(3 * Block.Size)], start);

            // A request ends a little after what it brings has arrived.
            Assert.True(await isFree.Task.WaitAsync(2 * Long));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ListenerThatThrowsAtTheOpening_LeavesNothingOpen(bool leaveOpen)
    {
        TrackedStream image = new(SampleDisk.Single().Image);
        using (Listen(Qcow2Diagnostics.OpenDuration, () => throw new InvalidOperationException("fault")))
        {
            Assert.Throws<InvalidOperationException>(() => Qcow2Chain.Open(image, new Qcow2OpenOptions { LeaveOpen = leaveOpen }));
            Assert.Equal(!leaveOpen, image.IsDisposed);
            await Assert.ThrowsAsync<InvalidOperationException>(() => Qcow2Chain.OpenAsync(_server.AddressOf("disk.raw")));
        }
    }

    private static MeterListener Listen(string name, Action called)
    {
        MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == Qcow2Diagnostics.MeterName && instrument.Name == name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => called());
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => called());
        listener.Start();
        return listener;
    }

    private async Task<byte[]> Read(Qcow2Chain chain, bool async)
    {
        byte[] bytes = new byte[_content.Length];
        await ReadAt(chain, 0, bytes, async);
        return bytes;
    }

    private static Task ReadAt(Qcow2Chain chain, long offset, byte[] bytes, bool async) => Task.Run(async () =>
    {
        if (async)
        {
            await chain.ReadAtAsync(offset, bytes);
        }
        else
        {
            chain.ReadAt(offset, bytes);
        }
    }).WaitAsync(Long);
}
