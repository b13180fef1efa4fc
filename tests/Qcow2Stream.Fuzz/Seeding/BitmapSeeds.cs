using System.Text;

namespace Qcow2Stream.Fuzz.Seeding;

/// <summary>Bitmap directories with their tables, and the image that they go after.</summary>
internal static class BitmapSeeds
{
    private const int ClusterSize = 512;
    // Five clusters of bits at the finest granularity, and an odd end.
    private const int DiskSize = (8 << 20) + (199 * ClusterSize);

    static BitmapSeeds()
    {
        byte[] image = new Qcow2Builder
        {
            ClusterBits = 9,
            Size = DiskSize,
            AutoclearFeatures = 1,
            Extensions = [new HeaderExtension(HeaderExtension.Bitmaps, new byte[24])],
            Clusters = [GuestClusters.Data(0, 0x10)],
        }.Build().ToBytes();

        // A cluster of bits, and a table that says ones, those bits, zeros, ones.
        BitsOffset = (image.Length + ClusterSize - 1) / ClusterSize * ClusterSize;
        TableOffset = BitsOffset + ClusterSize;
        DirectoryOffset = TableOffset + ClusterSize;
        Array.Resize(ref image, DirectoryOffset);
        image.AsSpan(BitsOffset, 40).Fill(0x3C);
        image.AsSpan(BitsOffset + 100, 200).Fill(0xFF);
        image.WriteU64(TableOffset, 1)
            .WriteU64(TableOffset + 8, (ulong)BitsOffset)
            .WriteU64(TableOffset + 24, 1);

        int extension = (int)image.ReadU32(HeaderField.HeaderLength) + 8;
        CountAt = extension;
        DirectorySizeAt = extension + 8;
        image.WriteU64(extension + 16, (ulong)DirectoryOffset);
        Template = image;
    }

    /// <summary>A good image but for its bitmap directory, which starts where it ends.</summary>
    public static byte[] Template { get; }

    /// <summary>Where the template says how many bitmaps there are.</summary>
    public static int CountAt { get; }

    /// <summary>Where the template says how long the directory is.</summary>
    public static int DirectorySizeAt { get; }

    public static IEnumerable<KeyValuePair<string, byte[]>> All
    {
        get
        {
            // A cluster of bits covers 4096 times the granularity.
            byte[] coarse = Entry(TableOffset, 8, 16, "coarse");
            byte[] bits = Entry(BitsOffset, 1, 20, "odd");
            byte[] fine = Entry(TableOffset, 8, 9, "fine", flags: 2);
            yield return new("coarse", Input(1, [.. coarse]));
            yield return new("fine", Input(1, [.. fine]));
            yield return new("three", Input(3, [.. coarse, .. bits, .. fine]));
            yield return new("lenient", Input(0x43, [.. coarse, .. bits, .. fine]));
            yield return new("in-use", Input(1, [.. Entry(TableOffset, 8, 16, "in use", flags: 1)]));
            yield return new("extra", Input(1, [.. Entry(TableOffset, 8, 16, "extra", flags: 6, extra: 8)]));
            yield return new("own-table", OwnTable());
        }
    }

    private static int BitsOffset { get; }

    private static int TableOffset { get; }

    private static int DirectoryOffset { get; }

    /// <summary>A table and bits within the input, where AFL can get at them.</summary>
    private static byte[] OwnTable()
    {
        byte[] directory = [.. Entry(DirectoryOffset + ClusterSize, 5, 9, "own"), .. Entry(DirectoryOffset + ClusterSize, 1, 12, "own2")];
        byte[] input = Input(2, directory);
        int at = input.Length - directory.Length;
        Array.Resize(ref input, at + (3 * ClusterSize));
        input.WriteU64(at + ClusterSize, (ulong)(DirectoryOffset + (2 * ClusterSize)));
        for (int i = 0; i < ClusterSize; i++)
        {
            input[at + (2 * ClusterSize) + i] = (byte)(i % 5 == 0 ? i : 0);
        }

        return input;
    }

    private static byte[] Input(byte count, byte[] directory) =>
        [count, (byte)(directory.Length >> 8), (byte)directory.Length, .. directory];

    private static byte[] Entry(long tableOffset, int tableSize, byte granularityBits, string name, uint flags = 0, int extra = 0)
    {
        byte[] fixedPart = new byte[24];
        fixedPart.WriteU64(0, (ulong)tableOffset)
            .WriteU32(8, (uint)tableSize)
            .WriteU32(12, flags)
            .WriteU8(16, 1)
            .WriteU8(17, granularityBits)
            .WriteU16(18, (ushort)name.Length)
            .WriteU32(20, (uint)extra);
        byte[] entry = [.. fixedPart, .. new byte[extra], .. Encoding.UTF8.GetBytes(name)];
        Array.Resize(ref entry, (entry.Length + 7) / 8 * 8);
        return entry;
    }
}
