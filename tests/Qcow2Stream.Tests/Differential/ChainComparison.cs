using System.Text.RegularExpressions;

namespace Qcow2Stream.Tests.Differential;

/// <summary>Holds one open chain against what QEMU says of it.</summary>
internal sealed partial class ChainComparison(QemuChain made, Qcow2Chain chain)
{
    private const int Ranges = 24;

    private readonly Random _random = new(made.Plan.Seed);

    public async Task AssertMapsAsync()
    {
        string json = MapText.Json(chain);
        string qemuJson = await made.MapJsonAsync();

        // QEMU has had the field since 8.2; a newer one is compared with all we write.
        bool knowsCompressed = qemuJson.Contains("\"compressed\"", StringComparison.Ordinal);
        Assert.Equal(qemuJson, knowsCompressed ? json : CompressedField().Replace(json, ""));

        if (chain.Map().All(e => e.Kind != MapKind.Compressed && !(e.Kind == MapKind.Data && e.IsEncrypted)))
        {
            Assert.Equal(Normalized(await made.MapHumanAsync()), Normalized(MapText.Of(chain.Map().WithHostHoles().WriteHuman)));
        }
    }

    /// <summary>What layers store and nobody hides is what is stored of the disk.</summary>
    private void AssertSummary()
    {
        MapSummary summary = chain.Map().Summarize();
        List<MapExtent> map = [.. chain.Map().WithHostHoles()];
        Assert.Equal(chain.Length, summary.StoredBytes + summary.ZeroBytes + summary.UnallocatedBytes);
        Assert.Equal(map.Where(e => e.Kind == MapKind.Unallocated).Sum(e => e.Length), summary.UnallocatedBytes);
        Assert.Equal(map.Where(e => !e.IsZero).Sum(e => e.Length), summary.StoredBytes);
        Assert.Equal(summary.StoredBytes, summary.Layers.Sum(l => l.StoredBytes - l.HiddenBytes));
        Assert.All(summary.Layers, layer => Assert.Equal(
            map.Where(e => e.Depth == layer.Depth && !e.IsZero).Sum(e => e.Length), layer.StoredBytes - layer.HiddenBytes));
        Assert.All(summary.Layers, layer => Assert.InRange(layer.HiddenHostBytes, 0, layer.HostBytes));
    }

    private byte[] Sparse()
    {
        using MemoryStream copy = new();
        chain.CopySparseTo(copy);
        return copy.ToArray();
    }

    /// <summary>Against the same bytes as a raw disk, and against those with one bit turned.</summary>
    private async Task AssertDifferenceAsync(byte[] expected)
    {
        using (Qcow2Chain same = await Qcow2Chain.OpenAsync(new MemoryStream(expected), new Qcow2OpenOptions { Format = ImageFormat.Raw }))
        {
            Assert.Null(chain.FindDifference(same));
            Assert.Null(same.FindDifference(chain));
        }

        if (expected.Length > 0)
        {
            byte[] changed = (byte[])expected.Clone();
            int at = _random.Next(changed.Length);
            changed[at] ^= 0x10;
            using Qcow2Chain other = await Qcow2Chain.OpenAsync(new MemoryStream(changed), new Qcow2OpenOptions { Format = ImageFormat.Raw });
            Assert.Equal(at, chain.FindDifference(other));
        }
    }

    /// <summary>Whole and in parts, by position and by cursor, sync and async: always the same bytes.</summary>
    public async Task AssertReadsAsync(byte[] expected)
    {
        Assert.Equal(expected.LongLength, chain.Length);
        byte[] whole = await ReadAllAsync();
        AssertSame(expected, 0, whole);
        AssertSame(expected, 0, Sparse());
        await AssertDifferenceAsync(expected);
        using Qcow2ChainStream stream = chain.OpenStream();
        for (int index = 0; index < Ranges; index++)
        {
            (long start, int count) = Range(expected.Length);
            int available = (int)Math.Clamp(expected.Length - start, 0, count);
            Memory<byte> slice = expected.AsMemory((int)Math.Min(start, expected.Length), available);
            byte[] buffer = new byte[count];

            Assert.Equal(available, chain.ReadAt(start, buffer));
            AssertSame(slice.Span, start, buffer.AsSpan(0, available));

            buffer.AsSpan().Fill(0xA5);
            Assert.Equal(available, await chain.ReadAtAsync(start, buffer));
            AssertSame(slice.Span, start, buffer.AsSpan(0, available));

            buffer.AsSpan().Fill(0x5A);
            stream.Position = start;
            Assert.Equal(available, index % 2 == 0 ? stream.Read(buffer) : await stream.ReadAsync(buffer));
            AssertSame(slice.Span, start, buffer.AsSpan(0, available));
            Assert.Equal(start + available, stream.Position);
        }
    }

    /// <summary>QEMU writes the active disk's size whatever the snapshot's is: here both are the same.</summary>
    public async Task AssertSnapshotAsync()
    {
        byte[] expected = await made.ConvertSnapshotAsync();
        byte[] actual = await ReadAllAsync();
        AssertSame(expected, 0, actual);
        AssertInvariants(expected);
    }

    /// <summary>Every form of the map leads to the same bytes, is whole, and merges what belongs together.</summary>
    public void AssertInvariants(byte[] expected)
    {
        AssertSummary();
        HostBytes host = new(chain.Layers);
        string text = MapText.Of(chain.Map().WriteText);
        List<MapExtent> parsed = MapText.Parse(text, chain.Layers);
        List<MapExtent> map = [.. chain.Map()];
        List<MapExtent> withHoles = [.. chain.Map().WithHostHoles()];
        foreach (List<MapExtent> form in (List<MapExtent>[])[parsed, map, withHoles])
        {
            MapInvariants.AssertWhole(form, 0, chain.Length, chain.Layers);
            MapInvariants.AssertPlaces(form, chain.Layers);
            if (made.Plan.Top.Encryption is null)
            {
                // Where the files hold ciphertext, there is nothing to put together.
                AssertSame(expected, 0, host.Rebuild(form, chain.Length));
            }
        }

        Assert.Equal(map.Where(e => !e.IsZero).Select(e => e with { OffsetInCluster = 0, IsEncrypted = false }), parsed.Where(e => !e.IsZero));
        AssertRanges(map, withHoles);
    }

    private void AssertRanges(List<MapExtent> map, List<MapExtent> withHoles)
    {
        using Qcow2ChainStream stream = chain.OpenStream();
        Assert.Equal(MapInvariants.Stored(withHoles, 0, chain.Length), stream.Extents);
        for (int index = 0; index < Ranges; index++)
        {
            (long start, int count) = Range(chain.Length);
            long end = Math.Min(start + count, chain.Length);
            Assert.Equal(MapInvariants.Stored(withHoles, start, end), stream.GetExtentsInRange(start, count));
            Assert.Equal(MapInvariants.Clip(map, start, end, chain.Layers), chain.Map(start, count));
        }
    }

    private async Task<byte[]> ReadAllAsync()
    {
        using Qcow2ChainStream stream = chain.OpenStream();
        using MemoryStream copy = new();
        if (_random.Next(2) == 0)
        {
            stream.CopyTo(copy, _random.Next(1, 1 << 17));
        }
        else
        {
            await stream.CopyToAsync(copy, _random.Next(1, 1 << 17));
        }

        return copy.ToArray();
    }

    /// <summary>Mostly inside the disk, mostly short; sometimes across its end, or past it.</summary>
    private (long Start, int Count) Range(long length)
    {
        long start = _random.NextInt64(length + (length / 8) + 2);
        int most = _random.Next(3) switch
        {
            0 => 600,
            1 => 64 * 1024,
            _ => 1024 * 1024,
        };
        return (start, _random.Next(most));
    }

    /// <summary>
    /// QEMU takes a relative name after <c>file:</c>, and a data file's, from the current directory and shows it as it
    /// is; the library takes it from the image's directory, which is the same one, and shows that.
    /// </summary>
    private string Normalized(string human) =>
        made.Plan.HasNameOfCurrentDirectory ? human.Replace(made.Directory + "/", "", StringComparison.Ordinal) : human;

    private static void AssertSame(ReadOnlySpan<byte> expected, long start, ReadOnlySpan<byte> actual)
    {
        int common = expected.CommonPrefixLength(actual);
        Assert.True(
            common == expected.Length && common == actual.Length,
            $"{actual.Length} bytes of {expected.Length}; the first difference is at guest offset {start + common}.");
    }

    [GeneratedRegex(", \"compressed\": (true|false)")]
    private static partial Regex CompressedField();
}
