namespace Qcow2Stream.Tests.Faults;

/// <summary>Any one read of a check goes wrong, is cancelled there, or has the check closed beside it.</summary>
public sealed class CheckFaultTests
{
    // The list of snapshots, or of bitmaps, is read to its end.
    private const int MostReadsAfter = 8;

    public static TheoryData<string> Images => ["v2", "v3-512", "extended-l2", "snapshots", "bitmaps", "data-file", "aes", "luks"];

    [Theory]
    [MemberData(nameof(Images))]
    public void ReadThatGoesWrong_IsToldAndNotKept(string name)
    {
        FaultyImage image = FaultyImage.Named(name);
        (string expected, int reads) = RunSound(image);
        foreach (FaultKind kind in Enum.GetValues<FaultKind>())
        {
            for (int read = 0; read < reads; read++)
            {
                FaultyHost host = image.Host();
                host.Break(kind, read);
                if (TryOpen(host, image.Top) is { } check)
                {
                    // A structure that can't be read is a finding of its own, where others can.
                    string? result = Run(check, out Exception? thrown);
                    bool isTold = thrown is Qcow2Exception || (result?.Contains("Severity = Error", StringComparison.Ordinal) ?? false);
                    Assert.True(isTold || result == expected, $"{kind}, read {read}: {thrown}");
                    host.Heal();
                    Assert.Equal(expected, Run(check, out thrown));
                    check.Dispose();
                }

                Assert.NotNull(host.Hit);
                host.CheckAllDisposed();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void CancelledAtAnyRead_Ends(string name)
    {
        FaultyImage image = FaultyImage.Named(name);
        (string expected, int reads) = RunSound(image);
        int ended = 0;
        for (int read = 0; read < reads; read++)
        {
            using CancellationTokenSource source = new();
            FaultyHost host = image.Host();
            using ImageCheck check = ImageCheck.Open(host.Open(image.Top));
            int readsAfter = 0;
            int cancelAt = read;
            host.Reading = (number, _, _) =>
            {
                readsAfter += source.IsCancellationRequested ? 1 : 0;
                if (number == cancelAt)
                {
                    source.Cancel();
                }

                return Task.CompletedTask;
            };
            string? result = Run(check, out Exception? thrown, source.Token);
            Assert.True(thrown is OperationCanceledException || result == expected, $"read {read}: {thrown}");
            Assert.InRange(readsAfter, 0, MostReadsAfter);
            ended += thrown is null ? 0 : 1;
        }

        Assert.NotEqual(0, ended);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public async Task ClosedBesideAnyRead_EndsInObjectDisposed(string name)
    {
        FaultyImage image = FaultyImage.Named(name);
        (string expected, int reads) = RunSound(image);
        for (int read = 0; read < reads; read++)
        {
            FaultyHost host = image.Host();
            ImageCheck check = ImageCheck.Open(host.Open(image.Top));
            Task closing = Task.CompletedTask;
            int closeAt = read;
            host.Reading = (number, _, _) =>
            {
                closing = number == closeAt
                    ? Task.Factory.StartNew(check.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                    : closing;
                return Task.CompletedTask;
            };
            string? result = Run(check, out Exception? thrown);
            Assert.True(thrown is ObjectDisposedException || result == expected, $"read {read}: {thrown}");
            await closing;
            check.Dispose();
            host.CheckAllDisposed();
        }
    }

    private static (string Result, int Reads) RunSound(FaultyImage image)
    {
        FaultyHost host = image.Host();
        using ImageCheck check = ImageCheck.Open(host.Open(image.Top));
        string? result = Run(check, out Exception? thrown);
        Assert.Null(thrown);
        return (result!, host.Reads);
    }

    private static ImageCheck? TryOpen(FaultyHost host, string name)
    {
        try
        {
            return ImageCheck.Open(host.Open(name));
        }
        catch (Qcow2Exception)
        {
            return null;
        }
    }

    private static string? Run(ImageCheck check, out Exception? thrown, CancellationToken cancellationToken = default)
    {
        string? result = null;
        thrown = Record.Exception(() => result = $"{string.Join('\n', new List<CheckFinding>(check.Run(cancellationToken: cancellationToken)))}\n{check.Summary}");
        return result;
    }
}
