using System.Collections.Concurrent;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Snapshots;
using Xunit.Abstractions;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>What is read from a damaged image without an error is what QEMU reads from it.</summary>
public sealed class MutationsAgainstQemu(ITestOutputHelper output)
{
    private const int Samples = 500;
    private const long LargestDisk = 64 << 20;
    private const int Workers = 2;

    private const string Refcounts = "refcounts matter to writers and to a check";
    private const string Snapshots = "a broken snapshot table fails what asks for snapshots, not the disk";
    private const string Bitmaps = "broken bitmaps fail what asks for bitmaps, not the disk";
    private const string Luks = "nothing that is encrypted is left, so the key is not asked for";

    /// <summary>What QEMU says where it refuses an image that we read, and why reading it is right.</summary>
    private static readonly (string Message, string Reason)[] Refusals =
    [
        ("Reference count table", Refcounts),
        ("Invalid reference count", Refcounts),
        ("Image does not contain a reference count table", Refcounts),
        ("Snapshot table", Snapshots),
        ("in snapshot table entry", Snapshots),
        ("bitmaps_ext:", Bitmaps),
        ("bitmaps extension", Bitmaps),
        ("Broken bitmap directory", Bitmaps),
        ("bitmap_table table", Bitmaps),
        ("Bitmap extra data", Bitmaps),
        ("doesn't satisfy the constraints", Bitmaps),
        ("CRYPTO header", Luks),
        ("Volume is not in LUKS format", Luks),
        ("Encryption header offset", Luks),
        ("Request for data outside of extension header", Luks),
        ("LUKS version", Luks),
        ("Keyslot", Luks),
        ("Invalid password", Luks),
        ("Algorithm", Luks),
        ("Hash algorithm", Luks),
        ("Could not open 'IMAGE': Input/output error", "in format qcow a backing name of no length is no name, wherever it is"),
        ("error while reading at byte", "what follows in a deflate stream behind the last byte of the cluster is not looked at"),
    ];

    [QemuFact]
    public async Task DamagedImageThatReads_ReadsAsInQemu()
    {
        ImageMutator[] mutators = [.. DamageSubject.Names.Select(n => new ImageMutator(DamageSubject.Make(n)))];
        ConcurrentQueue<string> wrong = [];
        ConcurrentDictionary<string, int> refused = [];
        int compared = 0;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Samples),
            new ParallelOptions { MaxDegreeOfParallelism = Workers },
            async (sample, _) =>
            {
                ImageMutator mutator = mutators[sample % mutators.Length];
                using TempDirectory directory = new();
                (string path, string description) = FirstReadable(mutator, directory, sample / mutators.Length * 1000);
                (bool isEncrypted, bool needsKey) = Describe(mutator.Subject, path);
                string raw = directory.File("disk.raw");
                QemuResult qemu = await Qemu.ImgRawIn(directory.Path, ["convert", "-O", "raw", .. Arguments(mutator.Subject, path, isEncrypted), raw]);
                if (qemu.ExitCode != 0)
                {
                    string said = qemu.Error.Replace(path, "IMAGE", StringComparison.Ordinal);
                    string? reason = Refusals.FirstOrDefault(r => said.Contains(r.Message, StringComparison.Ordinal)).Reason;
                    bool applies = reason == Luks ? !needsKey : !said.Contains("error while reading") || description.Contains("compressed at", StringComparison.Ordinal);
                    refused.AddOrUpdate(reason ?? "", 1, (_, count) => count + 1);
                    if (reason is null || !applies)
                    {
                        wrong.Enqueue($"{description}: {qemu.Error}");
                    }
                }
                else if (FirstDifference(mutator.Subject, path, raw) is { } place)
                {
                    wrong.Enqueue($"{description}: differs from byte {place} on");
                }
                else
                {
                    Interlocked.Increment(ref compared);
                }
            });
        foreach ((string reason, int count) in refused)
        {
            output.WriteLine($"{count} were refused by QEMU: {reason}");
        }

        Assert.True(wrong.IsEmpty, string.Join('\n', wrong));
        Assert.InRange(compared, Samples / 2, Samples);
    }

    /// <summary>Tries seeds from the given one on until the whole of the damaged image's disk, if it is small enough, reads without an error.</summary>
    private static (string Path, string Description) FirstReadable(ImageMutator mutator, TempDirectory directory, int seed)
    {
        if (mutator.Subject.Beside is { } beside)
        {
            directory.Write(beside.Name, beside.Content);
        }

        while (true)
        {
            (byte[] image, string description) = mutator.Mutate(seed++);
            string path = directory.Write("disk.image", image);
            if (IsReadable(mutator.Subject, path))
            {
                return (path, description);
            }
        }
    }

    private static bool IsReadable(DamageSubject subject, string path)
    {
        try
        {
            using Qcow2Chain chain = Open(subject, path);
            if (chain.Length <= LargestDisk)
            {
                chain.CopyTo(0, chain.Length, Stream.Null);
                return true;
            }
        }
        catch (Qcow2Exception)
        {
            // Not this one.
        }

        return false;
    }

    private static Qcow2Chain Open(DamageSubject subject, string path) =>
        Qcow2Chain.Open(path, subject.Options() with { Follow = FollowPolicy.SameDirectory });

    /// <summary>Says whether the image is encrypted, and whether its disk can't be read without the key.</summary>
    private static (bool IsEncrypted, bool NeedsKey) Describe(DamageSubject subject, string path)
    {
        bool needsKey = false;
        using var chain = Qcow2Chain.Open(path, subject.Options() with
        {
            Follow = FollowPolicy.SameDirectory,
            Passphrase = image =>
            {
                needsKey = true;
                return subject.Options().Passphrase!(image);
            },
        });
        chain.CopyTo(0, chain.Length, Stream.Null);
        if (chain.Inner.Layers[0].Header is { } header)
        {
            ForgetEndLength(header, path);
        }

        return (chain.Inner.Layers[0].IsEncrypted, needsKey);
    }

    /// <summary>
    /// QEMU refuses an end mark of the header extensions that has a length, if there is no room for so much. That length
    /// means nothing, and no room is needed for it: so that QEMU shows what it makes of the rest, it is set to 0.
    /// </summary>
    private static void ForgetEndLength(Qcow2Header header, string path)
    {
        long end = header.Extensions is [.., { } last] ? last.Offset + ((last.Data.Length + 7) & ~7) : header.HeaderLength;
        byte[] image = File.ReadAllBytes(path);
        long backing = (long)image.ReadU64(HeaderField.BackingFileOffset);
        if ((backing == 0 ? header.ClusterSize : backing) - end >= 8 && image.Length - end >= 8)
        {
            File.WriteAllBytes(path, image.WriteU32(end + 4, 0));
        }
    }

    private static string[] Arguments(DamageSubject subject, string path, bool isEncrypted)
    {
        string driver = subject.Format == ImageFormat.Qcow1 ? "qcow" : "qcow2";
        return isEncrypted
            ? ["--object", $"secret,id=key,data={PinnedImages.Passphrase}", "--image-opts", $"driver={driver},encrypt.key-secret=key,file.filename={path}"]
            : ["-f", driver, path];
    }

    private static long? FirstDifference(DamageSubject subject, string path, string raw)
    {
        using Qcow2Chain chain = Open(subject, path);
        using FileStream expected = File.OpenRead(raw);
        if (expected.Length != chain.Length)
        {
            return Math.Min(expected.Length, chain.Length);
        }

        byte[] ours = new byte[1 << 20];
        byte[] theirs = new byte[ours.Length];
        int count;
        for (long position = 0; (count = chain.ReadAt(position, ours)) > 0; position += count)
        {
            expected.ReadExactly(theirs, 0, count);
            int same = ours.AsSpan(0, count).CommonPrefixLength(theirs.AsSpan(0, count));
            if (same < count)
            {
                return position + same;
            }
        }

        return null;
    }
}
