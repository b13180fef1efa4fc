using System.Diagnostics;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

/// <summary>Whatever a damaged image says, reading it ends, and in an exception of this library.</summary>
public sealed class MalformedForeignTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private const string MetadataId = "metadata";
    private const string RegionId = "region";

    private readonly TempDirectory _scratch = new();

    static MalformedForeignTests() => ForeignImages.Register();

    public static TheoryData<string, string> Formats => new()
    {
        { "vmdk", "subformat=monolithicSparse" },
        { "vmdk", "subformat=streamOptimized" },
        { "vmdk", "subformat=monolithicSparse,zeroed_grain=on" },
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

    /// <summary>What every VHDX has is asked for, and what readers have to know and this one doesn't is refused: DiscUtils would take the disk for empty.</summary>
    [QemuTheory]
    [InlineData(MetadataId, 0, "caa16737-fa36-4d43-b3b6-33f0aa44e76b", "has no file parameters")]
    [InlineData(MetadataId, 0, "2fa54224-cd1b-4876-b211-5dbed83bf4b8", "has no virtual disk size")]
    [InlineData(MetadataId, 0, "beca12ab-b2e6-4523-93ef-c309e000c746", "has no virtual disk id")]
    [InlineData(MetadataId, 0, "8141bf1d-a96f-4709-ba47-f233a8faab5f", "has no logical sector size")]
    [InlineData(MetadataId, 0, "cda348c7-445d-4471-9cc9-e9885251c556", "has no physical sector size")]
    [InlineData(MetadataId, 4, "2fa54224-cd1b-4876-b211-5dbed83bf4b8", "a metadata item that readers have to know")]
    [InlineData(MetadataId, 5, "2fa54224-cd1b-4876-b211-5dbed83bf4b8", "a metadata item that readers have to know")]
    [InlineData(RegionId, 0, "8b7ca206-4790-4b9a-b8fe-575f050f886e", "no metadata region")]
    [InlineData(RegionId, 1, "8b7ca206-4790-4b9a-b8fe-575f050f886e", "a region that readers have to know")]
    public async Task EntryOfAVhdxThatIsNotKnown_IsRefused(string table, uint flags, string id, string problem)
    {
        byte[] bytes = await MakeImage("vhdx", "subformat=dynamic");
        bool isRegion = table == RegionId;
        int entry = bytes.VhdxEntry(isRegion ? ForeignFields.VhdxRegionTable : bytes.VhdxMetadata(), id);
        bytes.Little(entry + (isRegion ? 28 : 24), flags);
        if (flags != 5)
        {
            bytes[entry] ^= 0x80;
        }

        Refused("vhdx", bytes.WithVhdxSum(ForeignFields.VhdxRegionTable, 64 << 10), problem);
    }

    [QemuTheory]
    [InlineData("2fa54224-cd1b-4876-b211-5dbed83bf4b8", 0u, "the virtual disk size is 0")]
    [InlineData("2fa54224-cd1b-4876-b211-5dbed83bf4b8", 513u, "the virtual disk size is 513")]
    [InlineData("8141bf1d-a96f-4709-ba47-f233a8faab5f", 1024u, "the logical sector size is 1024")]
    public async Task ItemOfAVhdx_IsHeldAgainstItsLimits(string id, uint value, string problem)
    {
        byte[] bytes = await MakeImage("vhdx", "subformat=dynamic");
        int entry = bytes.VhdxEntry(bytes.VhdxMetadata(), id);
        Refused("vhdx", bytes.Little(bytes.VhdxMetadata() + BitConverter.ToInt32(bytes, entry + 16), value), problem);
    }

    /// <summary>QEMU reads the copy in front.</summary>
    [QemuTheory]
    [InlineData(48 + 5, "different values for the size")]
    [InlineData(56, "different values for the geometry")]
    [InlineData(28, "different values for the creator")]
    [InlineData(60 + 3, "different values for the type of the disk")]
    [InlineData(16 + 5, "different values for the place of the dynamic header")]
    public async Task CopyOfAVhdsFooter_IsTheSame(int place, string problem)
    {
        byte[] bytes = await MakeImage("vpc", "subformat=dynamic");
        bytes[place] ^= 1;
        Refused("vpc", bytes.WithVhdSum(0, 512, at: 64), problem);
    }

    private void Refused(string format, byte[] bytes, string problem)
    {
        Qcow2Exception error = Assert.ThrowsAny<Qcow2Exception>(() => Open(format, bytes));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("DiscUtils", error.Message, StringComparison.Ordinal);
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
