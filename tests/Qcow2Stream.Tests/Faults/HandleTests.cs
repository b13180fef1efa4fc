using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Faults;

/// <summary>The files of a chain are closed with it, and with an opening that fails; beside whatever is done with it.</summary>
public sealed class HandleTests : IDisposable
{
    private const int Rounds = 40;

    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Uses => [.. FaultyUse.All.Select(use => use.Name)];

    public void Dispose() => _scratch.Dispose();

    [LinuxFact]
    public async Task OpeningThatFails_ClosesAll()
    {
        string top = SampleDisk.WriteChain(_scratch, out _);
        using (Qcow2Chain chain = Qcow2Chain.Open(top))
        {
            Assert.Equal(2, OpenHandles.Under(_scratch.Path).Count);
        }

        Assert.Empty(OpenHandles.Under(_scratch.Path));
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Qcow2Chain.OpenAsync(top, cancellationToken: cancelled.Token));
        Assert.Throws<Qcow2Exception>(() => Qcow2Chain.Open(top, new() { Snapshot = "none" }));
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(top, new() { Follow = FollowPolicy.None }));
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(top, new() { MaxChainDepth = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Qcow2Chain.Open(top, new() { Format = (ImageFormat)99 }));
        using (FileStream below = new(_scratch.File("base.qcow2"), FileMode.Open, FileAccess.Write))
        {
            below.WriteByte(0x51);
            below.SetLength(20);
        }

        Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(top));
        await Assert.ThrowsAsync<Qcow2FormatException>(() => Qcow2Chain.OpenAsync(top));
        Assert.Empty(OpenHandles.Under(_scratch.Path));
    }

    /// <summary>A stream is its caller's, and its caller's code may throw: the other streams are closed all the same.</summary>
    [Theory]
    [InlineData("chain-3")]
    [InlineData("data-file")]
    [InlineData("luks")]
    public void StreamThatCannotBeClosed_LeavesNoOtherOpen(string name)
    {
        FaultyImage image = FaultyImage.Named(name);
        FaultyHost host = image.Host();
        Qcow2Chain chain = image.OpenStreams(host);
        host.FailsToClose = true;
        IOException error = Assert.Throws<IOException>(chain.Dispose);
        Assert.Contains($"'{host.Opened[0].Name}' can't be closed", error.Message, StringComparison.Ordinal);
        host.CheckAllDisposed();

        host = image.Host();
        host.FailsToClose = true;
        host.Break(FaultKind.Throws, 0);
        Assert.ThrowsAny<IOException>(() => image.OpenStreams(host));
        host.CheckAllDisposed();
    }

    /// <summary>Closed while it is used, again and again: the use ends in one way or gives the right result, and no file stays open.</summary>
    [Theory]
    [MemberData(nameof(Uses))]
    public async Task ClosedBesideItsUse_ClosesAll(string name)
    {
        FaultyUse use = FaultyUse.Named(name);
        string top = SampleDisk.WriteChain(_scratch, out byte[] disk);
        string expected;
        using (Qcow2Chain chain = Qcow2Chain.Open(top))
        {
            expected = await use.Run(chain, disk, default);
        }

        for (int round = 0; round < Rounds; round++)
        {
            Qcow2Chain chain = Qcow2Chain.Open(top, new() { LayerCacheBytes = 0, DecompressedCacheBytes = 0 });
            Task<Exception?> running = Task.Run(() => Record.ExceptionAsync(async () =>
            {
                while (true)
                {
                    Assert.Equal(expected, await use.Run(chain, disk, default));
                }
            }));
            Thread.SpinWait(round * 3000);
            chain.Dispose();
            Assert.IsType<ObjectDisposedException>(await running);
        }

        if (OperatingSystem.IsLinux())
        {
            Assert.Empty(OpenHandles.Under(_scratch.Path));
        }
    }
}
