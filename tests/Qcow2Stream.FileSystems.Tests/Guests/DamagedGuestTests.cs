using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;
using Qcow2Stream.FileSystems.Ext;
using Qcow2Stream.FileSystems.Fat;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>
/// Ext and FAT file systems damaged at random, the same way in every run: listing and reading everything ends, with errors of
/// one kind and bounded memory. (DiscUtils' readers are not asked: some of them do not end.)
/// </summary>
public sealed class DamagedGuestTests
{
    private const int Cases = 300;
    private const int ReadOnlyFeatures = 1024 + 101;
    private const long MostAllocated = 256 << 20;

    [Theory]
    [InlineData("ext2")]
    [InlineData("ext4")]
    [InlineData("ext4-inline-data")]
    [InlineData("fat12")]
    [InlineData("fat16")]
    [InlineData("fat32")]
    public void DamagedMetadata_GivesOwnErrors(string name)
    {
        using Qcow2ChainStream disk = new(GuestImages.Disk(name));
        byte[] good = new byte[disk.Length];
        disk.ReadExactly(good);
        int[] used = [.. Enumerable.Range(0, good.Length).Where(i => good[i] != 0)];
        int faults = 0;
        for (int seed = 0; seed < Cases; seed++)
        {
            byte[] bad = (byte[])good.Clone();
            Random random = new(seed);
            for (int i = random.Next(1, 40); i > 0; i--)
            {
                // Most of what is not zero, in the first blocks above all, is metadata.
                int place = used[random.Next(random.Next(4) == 0 ? used.Length : Math.Min(used.Length, 4000))];
                bad[place] = random.Next(3) switch { 0 => 0xFF, 1 => (byte)(bad[place] ^ (1 << random.Next(8))), _ => (byte)random.Next(256) };
            }

            if (name.StartsWith("ext", StringComparison.Ordinal) && seed % 4 != 0)
            {
                // Without the feature of checksums: what they would tell of is read.
                bad[ReadOnlyFeatures] = 0;
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception? thrown = Record.Exception(() => faults += ReadAll(bad, name.StartsWith("ext", StringComparison.Ordinal)));
            Assert.True(thrown is null or GuestException, $"{name}, seed {seed}: {thrown}");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostAllocated, $"{name}, seed {seed}: memory");
            faults += thrown is null ? 0 : 1;
        }

        Assert.NotEqual(0, faults);
    }

    private static int ReadAll(byte[] volume, bool isExt)
    {
        FileSystemSource source = new(BlockSource.FromStream(new MemoryStream(volume)), [], GuestOptions.Default);
        using GuestFileSystem files = ReaderErrors.Call(() => isExt ? ExtFileSystem.Open(source, "ext4") : FatFileSystem.Open(source, "FAT"));
        return GuestReading.ReadAll(files);
    }
}
