using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DiscUtils.Streams;
using Qcow2Stream.Layers;
using Qcow2Stream.Mapping;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Tests.Faults;

/// <summary>Something that is done with an open chain, and what comes of it as text, the same every time.</summary>
/// <param name="Name">What it is called in a test.</param>
/// <param name="Run">Does it; a copy is held against the disk's bytes, which it is given.</param>
/// <param name="IsAsync">Whether the chain is to be opened asynchronously too.</param>
internal sealed record FaultyUse(string Name, Func<Qcow2Chain, byte[], CancellationToken, Task<string>> Run, bool IsAsync = false)
{
    public static IReadOnlyList<FaultyUse> All { get; } =
    [
        new("read", (chain, _, _) => Now(() => Read(chain))),
        new("read in pieces", (chain, _, _) => Now(() => ReadPieces(chain))),
        new("read async", ReadAsync, IsAsync: true),
        new("read in pieces async", ReadPiecesAsync, IsAsync: true),
        new("map", (chain, _, _) => Now(() => Text(chain.Map()))),
        new("write map", (chain, _, _) => Now(() => WriteMap(chain))),
        new("copy", (chain, disk, token) => CopyAsync(chain, disk, async: false, token)),
        new("copy async", (chain, disk, token) => CopyAsync(chain, disk, async: true, token), IsAsync: true),
        new("history", (chain, _, _) => Now(() => History(chain))),
        new("history async", HistoryAsync, IsAsync: true),
    ];

    public static FaultyUse Named(string name) => All.Single(use => use.Name == name);

    public override string ToString() => Name;

    private static Task<string> Now(Func<string> use) => Task.FromResult(use());

    private static string Hash(ReadOnlySpan<byte> bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes.Length} {Convert.ToHexString(SHA256.HashData(bytes))}");

    // Joined at once, or made an array of, they would take pooled buffers, which .NET drops where the map ends in an error.
    private static string Text(IEnumerable<MapExtent> map) => string.Join('\n', new List<MapExtent>(map));

    private static string Read(Qcow2Chain chain)
    {
        byte[] disk = new byte[chain.Length + 10];
        return Hash(disk.AsSpan(0, chain.ReadAt(0, disk)));
    }

    private static async Task<string> ReadAsync(Qcow2Chain chain, byte[] expected, CancellationToken cancellationToken)
    {
        byte[] disk = new byte[chain.Length + 10];
        return Hash(disk.AsSpan(0, await chain.ReadAtAsync(0, disk, cancellationToken)));
    }

    /// <summary>Pieces that start and end inside sectors and clusters; what the disk has much of is passed in long steps.</summary>
    private static string ReadPieces(Qcow2Chain chain)
    {
        using Qcow2ChainStream stream = chain.OpenStream();
        byte[] disk = new byte[chain.Length];
        for (int start = 0; start < disk.Length;)
        {
            long before = stream.Position;
            Assert.Equal(start, before);
            start += stream.Read(disk.AsSpan(start, Math.Min(disk.Length - start, Step(start))));
        }

        return Hash(disk);
    }

    private static async Task<string> ReadPiecesAsync(Qcow2Chain chain, byte[] expected, CancellationToken cancellationToken)
    {
        using Qcow2ChainStream stream = chain.OpenStream();
        byte[] disk = new byte[chain.Length];
        for (int start = 0; start < disk.Length;)
        {
            start += await stream.ReadAsync(disk.AsMemory(start, Math.Min(disk.Length - start, Step(start))), cancellationToken);
        }

        return Hash(disk);
    }

    private static int Step(int start) => start < 1 << 17 ? 7777 : 400_001;

    /// <summary>In many pieces, on several cores. After an error, what was written is how the map begins.</summary>
    private static string WriteMap(Qcow2Chain chain)
    {
        using MemoryStream lines = new();
        using (Utf8Output text = new(lines))
        {
            MapWriter<TextForm>.Write(new RunRequest(chain.Inner, RunDetail.Metadata, default), 0, chain.Length, text, new MapPlan(8192, 4));
        }

        return Encoding.UTF8.GetString(lines.ToArray());
    }

    private static async Task<string> CopyAsync(Qcow2Chain chain, byte[] disk, bool async, CancellationToken cancellationToken)
    {
        using MemoryStream copy = new();
        try
        {
            if (async)
            {
                await chain.CopyToAsync(0, chain.Length, copy, cancellationToken: cancellationToken);
            }
            else
            {
                chain.CopyTo(0, chain.Length, copy, cancellationToken: cancellationToken);
            }
        }
        finally
        {
            // Whatever ended it: what was written is how the disk begins.
            Assert.True(disk.AsSpan().StartsWith(copy.ToArray()), "the copy has wrong bytes");
        }

        return Hash(copy.ToArray());
    }

    /// <summary>Snapshots, what changed since each, their machine states, and bitmaps.</summary>
    private static string History(Qcow2Chain chain)
    {
        StringBuilder text = new();
        foreach (Qcow2Snapshot snapshot in chain.GetSnapshots())
        {
            using Stream state = chain.OpenVmState(snapshot);
            byte[] bytes = new byte[state.Length];
            state.ReadExactly(bytes);
            text.Append(snapshot).Append('\n').Append(Hash(bytes)).Append('\n')
                .Append(Text(chain.GetChanges(DiskPoint.Snapshot(snapshot.Id), DiskPoint.Active))).Append('\n');
        }

        return Append(text, chain.GetBitmaps());
    }

    private static async Task<string> HistoryAsync(Qcow2Chain chain, byte[] expected, CancellationToken cancellationToken)
    {
        StringBuilder text = new();
        foreach (Qcow2Snapshot snapshot in await chain.GetSnapshotsAsync(cancellationToken))
        {
            text.Append(snapshot).Append('\n');
        }

        return Append(text, await chain.GetBitmapsAsync(cancellationToken));
    }

    private static string Append(StringBuilder text, IEnumerable<Qcow2Bitmap> bitmaps)
    {
        foreach (Qcow2Bitmap bitmap in bitmaps)
        {
            text.Append(bitmap.Name).Append('\n');
            foreach (StreamExtent dirty in bitmap.IsInUse ? [] : bitmap.GetDirtyExtents())
            {
                text.Append(dirty).Append('\n');
            }
        }

        return text.ToString();
    }
}
