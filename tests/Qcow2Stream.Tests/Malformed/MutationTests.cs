using System.Globalization;
using Qcow2Stream.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>
/// Good images of every kind, with one to three fields of their metadata damaged, the same way in every run. Whatever is
/// asked of them, only the library's exceptions come out, and neither more memory is taken nor more of the file read than
/// is right.
/// </summary>
public sealed class MutationTests(ITestOutputHelper output) : IDisposable
{
    private const int MostRead = 1 << 18;

    // The largest buffers that an image can rightly ask for are some MiB: a table, a cluster, its compressed bytes.
    private const long MostAllocated = 64 << 20;

    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan TooSlow = TimeSpan.FromSeconds(10);

    // QCOW2_DAMAGES makes a longer run of it: how many images are damaged in all.
    private static readonly int CasesPerSubject = int.Parse(
        Environment.GetEnvironmentVariable("QCOW2_DAMAGES") ?? "20000", NumberStyles.None, CultureInfo.InvariantCulture) / DamageSubject.Names.Count;

    private readonly TempDirectory _scratch = new();
    private readonly byte[] _buffer = new byte[MostRead];
    private int _mostReads;
    private long _mostBytes;
    private long _mostAllocated;

    public static TheoryData<string> Subjects => [.. DamageSubject.Names];

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Subjects))]
    public void DamagedImage_GivesOwnErrorsInBoundedMemoryAndWork(string subject)
    {
        ImageMutator mutator = new(DamageSubject.Make(subject));
        int opened = 0;
        int unharmed = 0;
        for (int seed = 0; seed < CasesPerSubject; seed++)
        {
            (byte[] image, string description) = mutator.Mutate(seed);
            HashSet<string> failed = UseAll(mutator.Subject, image, seed, description);
            opened += failed.Contains("open") ? 0 : 1;
            unharmed += failed.Contains("read") || failed.Contains("map") ? 0 : 1;
        }

        output.WriteLine(
            $"{opened} of {CasesPerSubject} opened, {unharmed} read without an error; at most {_mostReads} reads, {_mostBytes} bytes read, {_mostAllocated} bytes allocated");

        // The damage must neither always stop at the header nor never be met.
        Assert.InRange(opened, CasesPerSubject / 10, CasesPerSubject);
        Assert.InRange(unharmed, CasesPerSubject / 20, CasesPerSubject - (CasesPerSubject / 20));
    }

    /// <returns>The uses that ended in an error.</returns>
    private HashSet<string> UseAll(DamageSubject subject, byte[] image, int seed, string description)
    {
        string path = _scratch.Write("damaged.qcow2", image);
        ImageUses uses = new(image, subject.Options() with { Lenient = seed % 2 == 0 }, _buffer, async: seed % 4 < 2);
        HashSet<string> failed = [];
        foreach ((string what, Action action) in uses.OfStream().Concat(uses.OfFile(path)))
        {
            string context = $"{description}, {what}";
            TimeSpan timeBefore = ThreadTime.Used;
            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception? thrown = Record.Exception(action);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            TimeSpan time = ThreadTime.Used - timeBefore;
            Assert.True(thrown is null or Qcow2Exception, $"{context}: {thrown}");
            Assert.True(allocated < MostAllocated, $"{context}: {allocated} bytes allocated");
            Assert.False(uses.File.IsExhausted, $"{context}: {uses.File.Reads} reads, {uses.File.BytesRead} bytes read");
            Assert.True(time < TooSlow, $"{context}: took {time} of the processor");
            if (time > Slow)
            {
                output.WriteLine($"{context}: took {time} of the processor");
            }

            _mostReads = Math.Max(_mostReads, uses.File.Reads);
            _mostBytes = Math.Max(_mostBytes, uses.File.BytesRead);
            _mostAllocated = Math.Max(_mostAllocated, allocated);
            if (thrown is not null)
            {
                failed.Add(what);
            }
        }

        return failed;
    }
}
