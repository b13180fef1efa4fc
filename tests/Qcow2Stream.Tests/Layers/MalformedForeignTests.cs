using System.Diagnostics;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

/// <summary>Whatever a damaged image makes DiscUtils do, it ends, and in an exception of this library.</summary>
public sealed class MalformedForeignTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TempDirectory _scratch = new();

    static MalformedForeignTests() => ForeignImages.Register();

    public static TheoryData<string, string> Formats => new()
    {
        { "vmdk", "subformat=monolithicSparse" },
        { "vmdk", "subformat=streamOptimized" },
        { "vpc", "subformat=dynamic" },
        { "vpc", "subformat=fixed" },
        { "vhdx", "subformat=dynamic" },
    };

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [MemberData(nameof(Formats))]
    public async Task DamagedImage_EndsInOurException(string format, string options)
    {
        byte[] bytes = await MakeImage(format, options);

        // Where the metadata of these formats is: in front, in the last sectors, and from 1 MiB on for vhdx.
        int[] places = [.. Places(bytes)];
        Random random = new(5);
        for (int i = 0; i < 100; i++)
        {
            byte[] damaged = [.. bytes];
            int place = places[random.Next(places.Length)];
            for (int length = random.Next(1, 9); length > 0 && place < damaged.Length; length--, place++)
            {
                damaged[place] = random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next(256) };
            }

            ReadAll(format, damaged, $"damage {i} before {place}");
        }
    }

    [QemuTheory]
    [MemberData(nameof(Formats))]
    public async Task TruncatedImage_EndsInOurException(string format, string options)
    {
        byte[] bytes = await MakeImage(format, options);
        for (int i = 0; i < 30; i++)
        {
            int length = (int)((long)bytes.Length * i / 30);
            ReadAll(format, bytes[..(i % 2 == 0 ? length & ~511 : length)], $"truncated to {length}");
        }
    }

    [Fact]
    public void HeadersOfAVhdThatGoRound_AreNotFollowedForEver()
    {
        MemoryStream vhd = new();
        DiscUtils.Vhd.Disk.InitializeDynamic(vhd, DiscUtils.Streams.Ownership.None, 1 << 20).Dispose();

        // The dynamic header, in the second sector, says that the next one is itself.
        byte[] bytes = vhd.ToArray().WriteU64(512 + 8, 512);
        uint sum = 0;
        bytes.WriteU32(512 + 36, 0);
        foreach (byte b in bytes.AsSpan(512, 1024))
        {
            sum += b;
        }

        bytes.WriteU32(512 + 36, ~sum);
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => Open("vpc", bytes));
        Assert.Contains("in circles", error.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<int> Places(byte[] bytes)
    {
        for (int sector = 0; sector < bytes.Length / 512; sector++)
        {
            bool isFront = sector < 64;
            bool isTable = bytes.AsSpan(sector * 512, 512).IndexOfAnyExcept((byte)0) >= 0
                && bytes.AsSpan(sector * 512, 512).IndexOf("\u0001\u0001\u0001\u0001"u8) < 0;
            bool isBack = sector >= (bytes.Length / 512) - 4;
            for (int i = 0; i < 512 && (isFront || isTable || isBack); i += isTable ? 4 : 64)
            {
                yield return (sector * 512) + i;
            }
        }
    }

    private Qcow2Chain Open(string format, byte[] bytes)
    {
        string path = _scratch.Write("base", bytes);
        new Qcow2Builder { Size = 1 << 20, BackingFile = path, BackingFormat = format }.Build().WriteTo(_scratch.File("top"));
        return Qcow2Chain.Open(_scratch.File("top"));
    }

    private void ReadAll(string format, byte[] bytes, string what)
    {
        long start = Stopwatch.GetTimestamp();
        byte[] buffer = new byte[1 << 20];
        try
        {
            using Qcow2Chain chain = Open(format, bytes);
            foreach (Action read in new Action[]
            {
                () => chain.ReadAt(0, buffer),
                () => chain.ReadAtAsync(0, buffer).AsTask().GetAwaiter().GetResult(),
                () => Assert.NotEmpty(chain.Map()),
            })
            {
                try
                {
                    read();
                }
                catch (Qcow2Exception)
                {
                    // What it should be.
                }
            }
        }
        catch (Qcow2Exception)
        {
            // What it should be.
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{format}, {what}", e);
        }

        Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"{format}, {what}: took {Stopwatch.GetElapsedTime(start)}");
    }

    private async Task<byte[]> MakeImage(string format, string options)
    {
        string raw = _scratch.File("disk.raw");
        await Qemu.Img("create", "-f", "raw", raw, "1M");
        await Qemu.Io(raw, "raw", "write -P 1 0 100k", "write -P 1 700k 100k");
        string path = _scratch.File("disk");
        await Qemu.Img("convert", "-f", "raw", "-O", format, "-o", options, raw, path);
        return await File.ReadAllBytesAsync(path);
    }
}
