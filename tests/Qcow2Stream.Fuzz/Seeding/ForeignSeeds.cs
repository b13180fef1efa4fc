using System.Text;
using DiscUtils.Streams;
using Qcow2Stream.Fuzz.Harnesses;
using Qcow2Stream.Tests.Layers;

namespace Qcow2Stream.Fuzz.Seeding;

/// <summary>Small images in the formats that DiscUtils reads, by DiscUtils itself where it writes to streams.</summary>
internal static class ForeignSeeds
{
    private const int Sector = 512;
    private const int MostPart = 32 << 10;
    private const int Disk = 4 << 20;

    public static IEnumerable<KeyValuePair<string, byte[]>> All =>
    [
        KeyValuePair.Create("vmdk-sparse", Vmdk(isCompressed: false)),
        KeyValuePair.Create("vmdk-compressed", Vmdk(isCompressed: true)),
        KeyValuePair.Create("vmdk-descriptor", ForeignInput.Make("vmdk", 2048, [(0, Descriptor("monolithicFlat", "RW 8192 FLAT \"flat.vmdk\" 0"))])),
        KeyValuePair.Create("vhd-dynamic", Stored("vpc", s => Write(DiscUtils.Vhd.Disk.InitializeDynamic(s, Ownership.None, Disk)))),
        KeyValuePair.Create("vhd-fixed", Stored("vpc", s => Write(DiscUtils.Vhd.Disk.InitializeFixed(s, Ownership.None, Disk)))),
        KeyValuePair.Create("vhdx-dynamic", Stored("vhdx", s => Write(DiscUtils.Vhdx.Disk.InitializeDynamic(s, Ownership.None, Disk, null, 1 << 20)))),
    ];

    private static void Write(DiscUtils.VirtualDisk disk)
    {
        using (disk)
        {
            disk.Content.Position = 1 << 20;
            disk.Content.Write(new byte[] { 1, 2, 3, 4 });
        }
    }

    /// <summary>What isn't zeros of what is written.</summary>
    private static byte[] Stored(string format, Action<Stream> write)
    {
        MemoryStream stream = new();
        write(stream);
        byte[] bytes = stream.ToArray();
        List<(long, byte[])> parts = [];
        for (int start = 0; start < bytes.Length; start += Sector)
        {
            int end = start;
            while (end < bytes.Length && end - start < MostPart && bytes.AsSpan(end, Math.Min(Sector, bytes.Length - end)).ContainsAnyExcept((byte)0))
            {
                end += Sector;
            }

            if (end > start)
            {
                parts.Add((start, bytes[start..Math.Min(end, bytes.Length)]));
                start = end - Sector;
            }
        }

        return ForeignInput.Make(format, bytes.Length, parts);
    }

    private static byte[] Vmdk(bool isCompressed)
    {
        const int Directory = 32;
        const int Table = 33;
        const int Grain = 128;
        byte[] header = new byte[Sector];
        "KDMV"u8.CopyTo(header);
        header.Little(4, isCompressed ? 3u : 1u).Little(8, isCompressed ? 0x30001u : 1u).Little(12, (long)Disk / Sector).Little(20, 128L)
            .Little(28, 1L).Little(36, 20L).Little(44, 512u).Little(56, (long)Directory).Little(64, 128L);
        header[77] = (byte)(isCompressed ? 1 : 0);
        byte[] grain = new byte[Sector];
        grain.AsSpan().Fill(0x5A);
        if (isCompressed)
        {
            MemoryStream packed = new();
            using (System.IO.Compression.ZLibStream zlib = new(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            {
                zlib.Write(new byte[64 << 10]);
            }

            grain = [.. new byte[12].Little(8, (uint)packed.Length), .. packed.ToArray()];
        }

        string type = isCompressed ? "streamOptimized" : "monolithicSparse";
        return ForeignInput.Make(
            "vmdk",
            1 << 20,
            [
                (0, header),
                (Sector, Descriptor(type, $"RW {Disk / Sector} SPARSE \"seed.vmdk\"")),
                (Directory * Sector, new byte[Sector].Little(0, (uint)Table)),
                (Table * Sector, new byte[2048].Little(0, (uint)Grain)),
                (Grain * Sector, grain),
            ]);
    }

    private static byte[] Descriptor(string type, string extent) => Encoding.ASCII.GetBytes(
        $"# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"{type}\"\n{extent}\n"
        + "ddb.adapterType = \"ide\"\nddb.geometry.cylinders = \"8\"\nddb.geometry.heads = \"16\"\nddb.geometry.sectors = \"63\"\n");
}
