using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>FAT file systems whose tables lead where none do, and names in each form.</summary>
public sealed class FatTests
{
    private const int RecordLength = 32;

    /// <summary>A directory's chain of clusters that leads back to its start, later back, past the end of the volume, or into free space.</summary>
    [Theory]
    [InlineData("fat32", new uint[] { 2 }, "its chain of clusters leads back to cluster 2")]
    [InlineData("fat32", new uint[] { 900, 901, 902, 900 }, "its chain of clusters leads back to cluster 901")]
    [InlineData("fat32", new uint[] { 900, 0 }, "its chain of clusters leads from 900 to 0, which is no cluster")]
    [InlineData("fat32", new uint[] { 0x0F000000 }, "its chain of clusters leads from 2 to 251658240, which is no cluster")]
    public void ChainOfTheRoot_EndsInAnError(string name, uint[] chain, string message)
    {
        byte[] volume = Read(name);
        for ((int i, uint from) = (0, 2u); i < chain.Length; from = chain[i++])
        {
            WriteLink(volume, from, chain[i]);
            FillWithFreeNames(volume, from);
        }

        using GuestFileSystem files = Open(volume, out _);
        Assert.Equal(message, Assert.Throws<GuestException>(() => files.Root.EnumerateChildren().Count()).Message);
    }

    [Fact]
    public void DirectoryThatHoldsItself_IsEnteredOnce()
    {
        byte[] volume = Read("fat16");
        (int root, int data, int clusterSize) = Places(volume);
        Span<byte> entries = volume.AsSpan(root);
        entries[..(3 * RecordLength)].Clear();
        WriteDirectory(entries, "A", 2);
        WriteDirectory(entries[RecordLength..], "B", 2);
        Span<byte> cluster = volume.AsSpan(data, clusterSize);
        cluster.Clear();
        WriteDirectory(cluster, "A", 2);
        WriteDirectory(cluster[RecordLength..], "EMPTY", 0);
        BinaryPrimitives.WriteUInt16LittleEndian(volume.AsSpan(FatStart(volume) + 4), 0xFFFF);
        using GuestFileSystem files = Open(volume, out _);
        List<string> faults = [];
        Assert.Equal(
            ["/A", "/A/A", "/A/EMPTY", "/B"],
            files.Root.EnumerateTree(fault => faults.Add($"{fault.Path}: {fault.Message}")).Select(below => below.Path));
        Assert.Equal(["/A/A: the directory holds itself", "/B: the directory has another name too, which none may have"], faults);
    }

    [Fact]
    public void FileThatIsLongerThanItsChain_SaysHowFarItGoes()
    {
        byte[] volume = Read("fat16");
        (int root, int data, int clusterSize) = Places(volume);
        Span<byte> entries = volume.AsSpan(root);
        entries[..(2 * RecordLength)].Clear();
        WriteDirectory(entries, "FILE", 2);
        entries[11] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(entries[28..], uint.MaxValue);
        BinaryPrimitives.WriteUInt16LittleEndian(volume.AsSpan(FatStart(volume) + 4), 0xFFFF);
        using GuestFileSystem files = Open(volume, out _);
        GuestEntry file = files.Find("/file")!;
        using MemoryStream content = new();
        Assert.Equal(
            $"its chain of clusters ends after {clusterSize} of {uint.MaxValue} bytes", Assert.Throws<GuestException>(() => file.CopyContentTo(content)).Message);
        Assert.Equal(volume[data..(data + clusterSize)], content.ToArray());
    }

    [Theory]
    [InlineData(11, 513, "sectors of 513 bytes")]
    [InlineData(11, 8192, "sectors of 8192 bytes")]
    [InlineData(14, 0, "there is no room")]
    [InlineData(22, 0xFFFF, "there is no room")]
    public void BootSectorThatIsDamaged_IsAnError(int offset, ushort value, string message)
    {
        byte[] volume = Read("fat16");
        BinaryPrimitives.WriteUInt16LittleEndian(volume.AsSpan(offset), value);
        GuestException? thrown = Record.Exception(() => Open(volume, out _)) as GuestException;
        Assert.True(thrown is NoFileSystemException || thrown?.Message.Contains(message, StringComparison.Ordinal) == true, thrown?.Message);
    }

    /// <summary>Names of eight letters and three, as Windows keeps those that are all small, and as DOS wrote letters beyond ASCII.</summary>
    [Theory]
    [InlineData("FILE    TXT", 0x00, "FILE.TXT")]
    [InlineData("FILE    TXT", 0x08, "file.TXT")]
    [InlineData("FILE    TXT", 0x18, "file.txt")]
    [InlineData("FILE       ", 0x18, "file")]
    [InlineData("A B C      ", 0x00, "A B C")]
    [InlineData("\u0005BC     X  ", 0x00, "σBC.X")]
    [InlineData("\u0081\u0084      BIN", 0x00, "üä.BIN")]
    public void ShortName_IsShownAsWindowsShowsIt(string stored, byte flags, string shown)
    {
        byte[] volume = Read("fat16");
        Span<byte> entry = volume.AsSpan(Places(volume).Root);
        entry[..(2 * RecordLength)].Clear();
        for (int i = 0; i < stored.Length; i++)
        {
            entry[i] = (byte)stored[i];
        }

        entry[12] = flags;
        using GuestFileSystem files = Open(volume, out _);
        Assert.Equal(shown, Assert.Single(files.Root.EnumerateChildren()).Name);
    }

    /// <summary>A long name without its short one, or with another's, is left over: the short name counts.</summary>
    [Fact]
    public void LongNameThatDoesNotBelong_IsLeftOut()
    {
        byte[] volume = Read("fat32");
        (_, int data, _) = Places(volume);
        Span<byte> root = volume.AsSpan(data);
        int longName = 0;
        while (root[longName + 11] != 0x0F)
        {
            longName += RecordLength;
        }

        using (GuestFileSystem before = Open(volume, out _))
        {
            Assert.DoesNotContain(before.Root.EnumerateChildren(), entry => entry.Name.Contains('~', StringComparison.Ordinal));
        }

        root[longName + 13] ^= 1;
        using GuestFileSystem files = Open(volume, out _);
        Assert.Single(files.Root.EnumerateChildren(), entry => entry.Name.Contains('~', StringComparison.Ordinal));
    }

    [Fact]
    public void Usage_IsCountedInTheTable()
    {
        byte[] volume = Read("fat16");
        using GuestFileSystem before = Open(volume, out _);
        FileSystemUsage usage = before.GetUsage()!.Value;
        BinaryPrimitives.WriteUInt16LittleEndian(volume.AsSpan(FatStart(volume) + (4000 * 2)), 0xFFFF);
        using GuestFileSystem files = Open(volume, out int clusterSize);
        Assert.Equal(new FileSystemUsage(usage.UsedBytes + clusterSize, usage.AvailableBytes - clusterSize), files.GetUsage());
    }

    private static byte[] Read(string name)
    {
        using Qcow2ChainStream disk = new(GuestImages.Disk(name));
        byte[] volume = new byte[disk.Length];
        disk.ReadExactly(volume);
        return volume;
    }

    private static GuestFileSystem Open(byte[] volume, out int clusterSize)
    {
        clusterSize = Places(volume).ClusterSize;
        return Guest.Open(new MemoryStream(volume)).Volumes.Single().OpenFileSystem();
    }

    private static int FatStart(byte[] volume) => Short(volume, 14) * Short(volume, 11);

    private static (int Root, int Data, int ClusterSize) Places(byte[] volume)
    {
        int sector = Short(volume, 11);
        int fat = Short(volume, 22) != 0 ? Short(volume, 22) : (int)BinaryPrimitives.ReadUInt32LittleEndian(volume.AsSpan(36));
        int root = FatStart(volume) + (volume[16] * fat * sector);
        return (root, root + (Short(volume, 17) * RecordLength), sector * volume[13]);
    }

    private static void WriteLink(byte[] volume, uint cluster, uint next) =>
        BinaryPrimitives.WriteUInt32LittleEndian(volume.AsSpan(FatStart(volume) + ((int)cluster * 4)), next);

    /// <summary>Deleted entries: the directory goes on after them.</summary>
    private static void FillWithFreeNames(byte[] volume, uint cluster)
    {
        (_, int data, int clusterSize) = Places(volume);
        volume.AsSpan(data + (((int)cluster - 2) * clusterSize), clusterSize).Fill(0xE5);
    }

    private static void WriteDirectory(Span<byte> record, string name, ushort cluster)
    {
        record[..11].Fill((byte)' ');
        for (int i = 0; i < name.Length; i++)
        {
            record[i] = (byte)name[i];
        }

        record[11] = 0x10;
        BinaryPrimitives.WriteUInt16LittleEndian(record[26..], cluster);
    }

    private static int Short(byte[] volume, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(volume.AsSpan(offset));
}
