namespace Qcow2Stream.Tests.Faults;

/// <summary>
/// Any one read of any file may go wrong, while the chain is opened or later: what is read is right, or there is an error that
/// says where, and nothing of it is kept.
/// </summary>
public sealed class ReadFaultTests
{
    // A use of an image is some hundred reads at most; of longer ones, steps are taken.
    private const int MostRuns = 300;

    public static TheoryData<string> Images => FaultyImage.Names;

    [Theory]
    [MemberData(nameof(Images))]
    public Task ReadThatThrows_IsToldAndNotKept(string image) => CheckAllAsync(image, FaultKind.Throws);

    [Theory]
    [MemberData(nameof(Images))]
    public Task ReadThatEndsEarly_IsToldAndNotKept(string image) => CheckAllAsync(image, FaultKind.EndsEarly);

    [Theory]
    [MemberData(nameof(Images))]
    public Task FileThatShrinks_IsToldAndNotKept(string image) => CheckAllAsync(image, FaultKind.IsCut);

    /// <summary>A byte at a time, and each of them later: no read is taken for the end of the file.</summary>
    [Theory]
    [MemberData(nameof(Images))]
    public async Task ReadsOfAByteEach_GiveTheSame(string name)
    {
        FaultyImage image = FaultyImage.Named(name);
        foreach (FaultyUse use in FaultyUse.All)
        {
            FaultRun run = await FaultRun.OfAsync(image, use);
            FaultyHost host = image.Host(maxRead: 1, isSlow: true);
            using (Qcow2Chain chain = await run.OpenAsync(host))
            {
                Assert.Equal(run.Expected, await use.Run(chain, run.Disk, default));
            }

            Assert.True(host.Reads >= run.Reads);
            host.CheckAllDisposed();
        }
    }

    [Fact]
    public void LengthThatTheHostDoesNotTell_IsAnErrorOfTheLibrary()
    {
        FaultyImage image = FaultyImage.Named("chain-3");
        FaultyHost host = image.Host();
        host.HidesLengths = true;
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => image.OpenStreams(host));
        Assert.Contains("the host could not get the file's length: the host does not answer", error.Message, StringComparison.Ordinal);
        host.CheckAllDisposed();
    }

    private static async Task CheckAllAsync(string name, FaultKind kind)
    {
        FaultyImage image = FaultyImage.Named(name);
        foreach (FaultyUse use in FaultyUse.All)
        {
            FaultRun run = await FaultRun.OfAsync(image, use);
            for (int read = 0; read < run.Reads; read += 1 + (run.Reads / MostRuns))
            {
                try
                {
                    await run.CheckAsync(kind, read);
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"{use.Name}, read {read} of {run.Reads}: {e.Message}", e);
                }
            }
        }
    }
}
