using System.Globalization;
using System.Text;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Snapshots;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>
/// The committed images with a feature of their own, damaged at random the same way in every run: whatever is asked of
/// them, only the library's exceptions come out, and no more memory is taken than it may.
/// </summary>
public sealed class FeatureDamageTests : IDisposable
{
    private const int MostRead = 1 << 18;
    private const int MostExtents = 2000;
    private const long MostAllocated = 64 << 20;

    // QCOW2_DAMAGES makes a longer run of it.
    private static readonly int Cases = int.Parse(
        Environment.GetEnvironmentVariable("QCOW2_DAMAGES") ?? "250", NumberStyles.None, CultureInfo.InvariantCulture);

    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Images => ["snapshots", "bitmaps", "extended-l2", "data-file", "aes", "luks"];

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Images))]
    public void DamagedImage_GivesOwnErrorsAndBoundedMemory(string image)
    {
        byte[] good = File.ReadAllBytes(PinnedImages.PathOf(image, _scratch));
        int[] words = [.. WordsOf(good)];
        byte[] buffer = new byte[MostRead];
        int unharmed = 0;
        for (int seed = 0; seed < Cases; seed++)
        {
            byte[] bad = Damage(good, words, new Random(seed));
            string path = _scratch.Write("damaged.qcow2", bad);
            Qcow2OpenOptions options = new()
            {
                Format = ImageFormat.Qcow2,
                Follow = FollowPolicy.FromResolver(_ => new MemoryStream(buffer)),
                Passphrase = _ => Encoding.UTF8.GetBytes(PinnedImages.Passphrase),
                MaxKeyIterations = 100_000,
                Lenient = seed % 2 == 0,
            };
            bool harmed = false;
            foreach ((string what, Action action) in Uses(path, options, buffer))
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                Exception? thrown = Record.Exception(action);
                long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(thrown is null or Qcow2Exception, $"{image}, seed {seed}, {what}: {thrown}");
                Assert.True(allocated < MostAllocated, $"{image}, seed {seed}, {what}: {allocated} bytes allocated");
                harmed |= what == "read" && thrown is not null;
            }

            unharmed += harmed ? 0 : 1;
        }

        // The damage must neither always stop at the header nor never be met.
        Assert.InRange(unharmed, 1, Cases - 1);
    }

    private static IEnumerable<(string What, Action Action)> Uses(string path, Qcow2OpenOptions options, byte[] buffer)
    {
        void With(Action<Qcow2Chain> use, string? snapshot = null)
        {
            using Qcow2Chain chain = Qcow2Chain.Open(path, options with { Snapshot = snapshot });
            use(chain);
        }

        yield return ("read", () => With(c => c.ReadAt(0, buffer)));
        yield return ("map", () => With(c => _ = c.Map().Take(MostExtents).Count()));
        yield return ("snapshot", () => With(c => c.ReadAt(0, buffer), "second"));
        yield return ("state", () => With(c => ReadStates(c, buffer)));
        yield return ("changes", () => With(c => _ = c.Changes(DiskPoint.Snapshot("first"), DiskPoint.Active).Take(MostExtents).Count()));
        yield return ("bitmaps", () => With(c => _ = c.GetBitmaps().Sum(b => b.DirtyExtents().Take(MostExtents).Count())));
        yield return ("info", () => new[] { ImageInfo.Read(path) }.WriteText(Stream.Null));
        yield return ("header", () => _ = HeaderDump.Read(path).ToString());
        yield return ("inspect", () => _ = ImageInspection.Inspect(path, options).Count());
        yield return ("check", () =>
        {
            using ImageCheck check = ImageCheck.Open(path, options);
            _ = check.Findings().Take(MostExtents).Count();
        }
        );
    }

    private static void ReadStates(Qcow2Chain chain, byte[] buffer)
    {
        foreach (Qcow2Snapshot snapshot in chain.GetSnapshots())
        {
            using Stream state = chain.OpenVmState(snapshot);
            _ = state.Read(buffer);
        }
    }

    /// <summary>The header, and every word of eight bytes that is not zero and looks like part of a table or a directory.</summary>
    private static IEnumerable<int> WordsOf(byte[] image)
    {
        int end = Math.Min(image.Length, 1 << 20) - 8;
        for (int word = 0; word < end; word += 8)
        {
            ulong value = image.ReadU64(word);
            bool repeats = value == 0 || image.AsSpan(word, 8).IndexOfAnyExcept(image[word]) < 0;
            if (word < 600 || (!repeats && (value >> 56) is 0 or 0x80 or 0x40))
            {
                yield return word;
            }
        }
    }

    private static byte[] Damage(byte[] good, int[] words, Random random)
    {
        byte[] bad = [.. good];
        for (int count = random.Next(1, 4); count > 0; count--)
        {
            int word = words[random.Next(words.Length)];
            ulong value = bad.ReadU64(word);
            bad.WriteU64(word, random.Next(6) switch
            {
                0 => 0,
                1 => ulong.MaxValue,
                2 => value ^ (1UL << random.Next(64)),
                3 => value + (ulong)random.Next(-512, 512),
                4 => (value & 0xFFFF_FFFF_0000_0000) | (uint)random.Next(),
                _ => (ulong)random.NextInt64(),
            });
        }

        return bad;
    }
}
