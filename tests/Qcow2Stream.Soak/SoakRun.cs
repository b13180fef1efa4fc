using System.Diagnostics;
using System.Globalization;

namespace Qcow2Stream.Soak;

/// <summary>
/// Many readers of shared chains that are closed below them and opened again: every byte is checked, and what is open and what
/// memory is taken must be the same at the end as after the start.
/// </summary>
internal static class SoakRun
{
    private const int Readers = 64;
    private const int Samples = 12;

    // The pool of the collector moves by some; a buffer or a chain lost per reopening would be hundreds of MiB.
    private const long MaxManagedGrowth = 16 << 20;
    private const long MaxResidentGrowth = 64 << 20;

    /// <returns>0 if all was right.</returns>
    public static async Task<int> RunAsync(TimeSpan duration)
    {
        using TempDirectory directory = new();
        Tally tally = new();
        Console.WriteLine($"handles before: {CountHandles(directory)}");
        SoakImage[] images = SoakImage.OpenAll(directory);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{Readers} readers of {images.Length} chains, {duration.TotalSeconds} s; handles: {CountHandles(directory)}"));
        Console.WriteLine("  time      reads  cancelled   reopened  ended by that  handles  managed MiB  resident MiB");
        using CancellationTokenSource end = new(duration);
        Task[] tasks =
        [
            .. Enumerable.Range(0, Readers).Select(seed => Task.Run(() => new SoakReader(images, tally, seed).RunAsync(end.Token))),
            .. images.Select(image => Task.Run(() => ReopenAsync(image, tally, end.Token))),
        ];
        (long Managed, long Resident) warm = default;
        (long Managed, long Resident) now = default;
        Stopwatch clock = Stopwatch.StartNew();
        for (int sample = 1; sample <= Samples && tally.Difference is null; sample++)
        {
            // The last one is taken while they still read.
            await Task.Delay(duration / (Samples + 1));
            now = (GC.GetTotalMemory(forceFullCollection: true), Resident());
            warm = sample <= Samples / 3 ? (Math.Max(warm.Managed, now.Managed), Math.Max(warm.Resident, now.Resident)) : warm;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{clock.Elapsed.TotalSeconds,6:f1}{tally.Reads,11}{tally.Cancellations,11}{tally.Disposals,11}{tally.EndedByDispose,15}{CountHandles(directory),9}{now.Managed >> 20,13}{now.Resident >> 20,14}"));
        }

        await end.CancelAsync();
        await Task.WhenAll(tasks);
        foreach (SoakImage image in images)
        {
            image.Dispose();
        }

        int handles = CountHandles(directory);
        Console.WriteLine($"handles after: {handles}");
        return Judge(tally, handles, now.Managed - warm.Managed, now.Resident - warm.Resident);
    }

    private static int Judge(Tally tally, int handles, long managedGrowth, long residentGrowth)
    {
        string? fault = tally.Difference
            ?? (handles > 0 ? $"{handles} files are still open" : null)
            ?? (managedGrowth > MaxManagedGrowth ? $"the managed memory grew by {managedGrowth} bytes, more than {MaxManagedGrowth}" : null)
            ?? (residentGrowth > MaxResidentGrowth ? $"the resident memory grew by {residentGrowth} bytes, more than {MaxResidentGrowth}" : null)
            ?? (tally.Reads == 0 || tally.Disposals == 0 || tally.Cancellations == 0 ? "nothing was read, reopened or cancelled" : null);
        Console.WriteLine(fault is null
            ? $"all right; growth after the first third: managed {managedGrowth >> 10} KiB, resident {residentGrowth >> 10} KiB"
            : $"WRONG: {fault}");
        return fault is null ? 0 : 1;
    }

    private static async Task ReopenAsync(SoakImage image, Tally tally, CancellationToken end)
    {
        for (bool async = false; !end.IsCancellationRequested && tally.Difference is null; async = !async)
        {
            await Task.Delay(image.Lifetime, CancellationToken.None);
            await image.ReopenAsync(async);
            Interlocked.Increment(ref tally.Disposals);
        }
    }

    private static int CountHandles(TempDirectory directory) => OperatingSystem.IsLinux() ? OpenHandles.Under(directory.Path).Count : 0;

    private static long Resident()
    {
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
