using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Concurrency;

/// <summary>Images that QEMU has open and writes to meanwhile.</summary>
public sealed class RunningGuestTests : IDisposable
{
    private const int DiskSize = 8 << 20;
    private const int WrittenFirst = 2 << 20;
    private const int Sector = 512;
    private const int Zone = 128 << 10;
    private const byte First = 0x11;

    private readonly TempDirectory _scratch = new();

    private string Image => _scratch.File("guest.qcow2");

    public void Dispose() => _scratch.Dispose();

    /// <summary>What was flushed is there for anyone who then opens the image.</summary>
    [QemuFact]
    public async Task FlushedWrites_AreReadByAChainThatIsOpenedThen()
    {
        using RunningGuest guest = await StartAsync();
        byte[] expected = new byte[DiskSize];
        expected.AsSpan(0, WrittenFirst).Fill(First);
        for (int round = 0; round < 8; round++)
        {
            // New clusters, old ones rewritten, and pieces of clusters.
            await WriteAsync(guest, expected, pattern: 0x20 + round, offset: (round * 700_000) / Sector * Sector, length: 300_032);
            await guest.DoAsync("flush");
            using Qcow2Chain chain = Qcow2Chain.Open(Image);
            Assert.Equal(expected, chain.ReadWholeDisk());
            Assert.Equal(DiskSize, chain.Map().Sum(e => e.Length));
        }

        Assert.Equal(0, await guest.QuitAsync());
    }

    /// <summary>
    /// A chain that stays open reads each byte as it was when the chain was opened or as it was written since: never anything
    /// else, never another place's, and never an error.
    /// </summary>
    [QemuFact]
    public async Task WritesBesideReads_GiveOldOrNewBytes()
    {
        using RunningGuest guest = await StartAsync();
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        using CancellationTokenSource end = new();
        Task[] readers = [.. Enumerable.Range(0, 3).Select(seed => Task.Run(() => ReadUntilAsync(chain, seed, end.Token)))];
        byte[] expected = new byte[DiskSize];
        expected.AsSpan(0, WrittenFirst).Fill(First);
        Random random = new(5);
        for (int write = 1; write <= 60; write++)
        {
            // A pattern for each place: readers know whose bytes they met.
            int offset = random.Next(DiskSize / Sector - 200) * Sector;
            await WriteAsync(guest, expected, PatternAt(offset), offset, Math.Min(random.Next(1, 200) * Sector, Zone - (offset % Zone)));
        }

        await guest.DoAsync("flush");
        await end.CancelAsync();
        await Task.WhenAll(readers);
        using (Qcow2Chain again = Qcow2Chain.Open(Image))
        {
            Assert.Equal(expected, again.ReadWholeDisk());
        }

        Assert.Equal(0, await guest.QuitAsync());
    }

    /// <summary>An open chain holds no lock: QEMU's own say who may write, as without it.</summary>
    [QemuFact]
    public async Task OpenChain_LeavesQemusLocksAlone()
    {
        await MakeAsync();
        using (Qcow2Chain chain = Qcow2Chain.Open(Image))
        {
            Assert.Equal(First, chain.ReadRange(0, 1)[0]);

            // It may be opened for writing, resized and checked beside us...
            using (RunningGuest guest = await RunningGuest.StartAsync(Image))
            {
                await guest.WriteAsync(0x55, 0, 65_536);

                // ...and one writer keeps the other out, as ever.
                InvalidOperationException locked = await Assert.ThrowsAsync<InvalidOperationException>(() => RunningGuest.StartAsync(Image));
                Assert.Contains("lock", locked.Message, StringComparison.Ordinal);
                Assert.Equal(0x55, chain.ReadRange(0, 1)[0]);
                Assert.Equal(0, await guest.QuitAsync());
            }

            await Qemu.Img("resize", "-f", "qcow2", Image, "16M");
            await Qemu.Img("check", "-f", "qcow2", Image);
        }

        using Qcow2Chain resized = Qcow2Chain.Open(Image);
        Assert.Equal(16 << 20, resized.Length);
    }

    private async Task MakeAsync()
    {
        await Qemu.Img("create", "-q", "-f", "qcow2", Image, $"{DiskSize}");
        await Qemu.Io(Image, "qcow2", $"write -P {First} 0 {WrittenFirst}");
    }

    private async Task<RunningGuest> StartAsync()
    {
        await MakeAsync();
        return await RunningGuest.StartAsync(Image);
    }

    private static Task WriteAsync(RunningGuest guest, byte[] expected, int pattern, int offset, int length)
    {
        expected.AsSpan(offset, length).Fill((byte)pattern);
        return guest.WriteAsync(pattern, offset, length);
    }

    private static async Task ReadUntilAsync(Qcow2Chain chain, int seed, CancellationToken end)
    {
        Random random = new(seed);
        byte[] buffer = new byte[64 * Sector];
        while (!end.IsCancellationRequested)
        {
            int start = random.Next(DiskSize / Sector - 64) * Sector;
            int read = random.Next(2) == 0 ? chain.ReadAt(start, buffer) : await chain.ReadAtAsync(start, buffer, CancellationToken.None);
            Assert.Equal(buffer.Length, read);
            for (int at = 0; at < read; at++)
            {
                bool isOld = buffer[at] == (start + at < WrittenFirst ? First : 0);
                Assert.True(isOld || buffer[at] == PatternAt(start + at), $"a byte 0x{buffer[at]:x2} at {start + at} that was never there");
            }
        }
    }

    private static int PatternAt(int offset) => 0x80 + (offset / Zone);
}
