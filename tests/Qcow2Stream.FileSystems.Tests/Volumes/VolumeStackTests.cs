using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Qcow2Stream.FileSystems.Partitions;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.FileSystems.Volumes;
using Qcow2Stream.FileSystems.Volumes.Lvm;
using Qcow2Stream.FileSystems.Volumes.Raid;

namespace Qcow2Stream.FileSystems.Tests.Volumes;

/// <summary>How volumes that lie on others are named and found, and what is said of those that can't be read.</summary>
public sealed class VolumeStackTests
{
    private const string Locked = "luks-on-lv";
    private const int Rounds = 60;
    private const string Luks = "luks-0b5c0d2e-7c1f-4f3b-9a53-000000000251";

    [Fact]
    public void Volumes_StandBehindWhatTheyLieOn()
    {
        using Guest guest = GuestImages.OpenDisk(Locked);

        Assert.Equal(["partition 1", "volume vault/secret", $"volume {Luks}", "volume vault/plain"], guest.Volumes.Select(volume => volume.ToString()));
        Assert.Equal(["LVM2 physical volume", "LUKS", "ext2", "ext2"], guest.Volumes.Select(volume => volume.Content));
        Assert.Equal(["partition 1"], guest.Volumes[1].Members.Select(member => member.ToString()));
        Assert.Equal([guest.Volumes[1]], guest.Volumes[2].Members);
        Assert.Equal("0b5c0d2e-7c1f-4f3b-9a53-000000000251", guest.Volumes[2].Uuid);
        Assert.All(guest.Volumes.Skip(1), volume => Assert.Equal((GuestVolume.NoPartition, 1, 0), (volume.Number, volume.Disk, volume.Start)));
    }

    [Fact]
    public void Path_IsFoundOnTheVolumeThatIsNamed()
    {
        using Guest guest = GuestImages.OpenDisk(Locked);

        Assert.Equal(["vault/plain", Luks], Assert.Throws<AmbiguousPathException>(() => guest.Find("/etc/os-release")).Volumes.Select(each => each.Volume.Name).Order(StringComparer.Ordinal).Reverse());
        foreach ((string name, string found) in new[] { (Luks, Luks), ("vault/secret", Luks), ("vault/plain", "vault/plain") })
        {
            using GuestMatch match = guest.Find("/etc/os-release", name);
            Assert.Equal(found, match.Volume.Name);
        }

        VolumeNotFoundException e = Assert.Throws<VolumeNotFoundException>(() => guest.Find("/", "vault/no\u001bne"));
        Assert.Equal("vault/no\u001bne", e.Name);
        Assert.Equal(guest.Volumes, e.Volumes);
        Assert.DoesNotContain('\u001b', e.Message);
    }

    [Fact]
    public void WithoutPassphrase_WhatIsNotSearchedIsTold()
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(Locked)));

        GuestPathNotFoundException e = Assert.Throws<GuestPathNotFoundException>(() => guest.Find("/nowhere"));
        Assert.Equal(
            "'/nowhere' does not exist on volume vault/plain (ext2) (not searched: volume vault/secret, LUKS: no passphrase was given)", e.Message);
        Assert.Equal(["vault/secret"], e.Unsearched.Select(volume => volume.Name));

        // Found all the same on what can be read.
        using GuestMatch match = guest.Find("/etc/os-release");
        Assert.Equal("vault/plain", match.Volume.Name);
    }

    [Fact]
    public void WrongPassphrase_IsTold()
    {
        List<EncryptedVolume> asked = [];
        GuestOptions options = new()
        {
            Luks = new LuksOptions
            {
                Passphrase = volume =>
                {
                    asked.Add(volume);
                    return "wrong"u8.ToArray();
                },
            },
        };
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(Locked)), options);

        Assert.Equal("the passphrase is wrong: it opens none of the key slots (tried: 1)", guest.Volumes.Single(volume => volume.Name == "vault/secret").Fault);
        Assert.Equal(["0b5c0d2e-7c1f-4f3b-9a53-000000000251"], asked.Select(volume => volume.Uuid));
    }

    [Fact]
    public void ExpensiveKey_IsRefusedBeforeAnythingIsComputed()
    {
        GuestOptions options = new() { Luks = new LuksOptions { Passphrase = _ => throw new InvalidOperationException("nobody is asked"), MaxKeyIterations = 1 } };
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(Locked)), options);

        string fault = guest.Volumes.Single(volume => volume.Name == "vault/secret").Fault!;
        Assert.EndsWith("; 1 are allowed", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void DisposedGuest_ReadsNoMoreOfWhatIsEncrypted()
    {
        Guest guest = GuestImages.OpenDisk(Locked);
        IBlockSource source = guest.Volumes.Single(volume => volume.Name == Luks).Source;
        guest.Dispose();
        Assert.Throws<ObjectDisposedException>(() => source.ReadAt(0, new byte[512]));
    }

    /// <summary>A group over two disks: each alone tells what it lacks, together they are whole, whichever comes first.</summary>
    [Fact]
    public void Group_IsPutTogetherFromSeveralDisks()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(GuestImages.Disk("lvm-linear"));
        IBlockSource whole = BlockSource.FromChain(chain);
        GuestVolume[] parts;
        string[] names;
        using (Guest guest = Guest.Open(whole, new GuestOptions { LeaveOpen = true }))
        {
            parts = [.. guest.Volumes.Where(volume => volume.Name is null)];
            names = [.. guest.Volumes.Select(volume => volume.Name).OfType<string>().Order(StringComparer.Ordinal)];
            foreach (IBlockSource[] disks in new[] { parts.Select(part => part.Source), parts.Select(part => part.Source).Reverse() }.Select(each => each.ToArray()))
            {
                using Guest apart = Guest.Open(disks[0], new GuestOptions { LeaveOpen = true, OtherDisks = disks[1..] });
                Assert.Equal(names, apart.Volumes.Select(volume => volume.Name).OfType<string>().Order(StringComparer.Ordinal));
                Assert.All(apart.Volumes, volume => Assert.Null(volume.Fault));
            }

            using Guest alone = Guest.Open(parts[0].Source, new GuestOptions { LeaveOpen = true });
            GuestVolume odd = alone.Volumes.Single(volume => volume.Name == "linear/odd");
            Assert.StartsWith("physical volumes of it are not there: ", odd.Fault, StringComparison.Ordinal);
            Assert.Throws<GuestException>(() => odd.OpenStream().CopyTo(Stream.Null));
        }
    }

    /// <summary>
    /// Metadata that LVM would never write, under right checksums: numbers and names exchanged for others, lines lost and repeated. Every volume is read or says
    /// why it can't be, and the work is bounded.
    /// </summary>
    [Theory]
    [InlineData("lvm-linear", 1)]
    [InlineData("lvm-striped-raid", 2)]
    [InlineData("lvm-thin", 3)]
    public void CraftedMetadata_IsReadOrTold(string name, int seed)
    {
        using PatchedDisk disk = new(name);
        List<long> areas = Areas(disk);
        Random random = new(seed);
        int opened = 0;
        for (int i = 0; i < Rounds; i++)
        {
            disk.Restore();
            foreach (long area in areas)
            {
                ChangeText(disk, area, text => Mutated(text, random));
            }

            using Guest guest = Guest.Open(disk, new GuestOptions { LeaveOpen = true });
            foreach (GuestVolume volume in guest.Volumes.Where(volume => volume.Name is not null))
            {
                try
                {
                    _ = volume.Source.ReadAt(0, new byte[4096]);
                    _ = volume.Source.ReadAt(volume.Length / 2, new byte[4096]);
                    _ = volume.Source.GetExtents(0, volume.Length).Take(1000).Count();
                    opened++;
                }
                catch (GuestException)
                {
                    // It says why.
                }
            }
        }

        Assert.InRange(opened, 1, int.MaxValue);
    }

    /// <summary>What Linux would not activate, or from elsewhere, is told, and its bytes are not given.</summary>
    [Theory]
    [InlineData("cow_store = \"cow-4k\"", "merging_store = \"cow-4k\"", "cow/base", "a snapshot is being merged into 'base', which is not handled")]
    [InlineData("pv0 {", "pv0 {\nflags = [\"MISSING\"]", "cow/base", null)]
    [InlineData("pv1 {", "pv1 {\nflags = [\"MISSING\"]", "thin/odd", "it needs the physical volume pv1 of volume group 'thin', which is not there")]
    public void StateOfAGroup_IsTold(string text, string changed, string name, string? fault)
    {
        using PatchedDisk disk = new("lvm-thin");
        foreach (long area in Areas(disk))
        {
            ChangeText(disk, area, whole => Fitting(whole.Replace(text, changed, StringComparison.Ordinal), whole.Length));
        }

        using Guest guest = Guest.Open(disk, new GuestOptions { LeaveOpen = true });
        GuestVolume? volume = guest.Volumes.SingleOrDefault(each => each.Name == name);
        Assert.Equal(fault, volume?.Fault);
        Assert.Equal(fault is null, volume is null);
    }

    /// <summary>No one knows which of two physical volumes with one UUID has the right bytes.</summary>
    [Fact]
    public void CopyOfAPhysicalVolume_IsNotMixedWithIt()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(GuestImages.Disk("lvm"));
        IBlockSource disk = BlockSource.FromChain(chain);
        using Guest guest = Guest.Open(disk, new GuestOptions { LeaveOpen = true, OtherDisks = [disk] });
        Assert.Equal(["1", "2:1"], guest.Volumes.Select(volume => volume.Address));
        Assert.Equal("partition 1 and partition 1 of disk 2 are one physical volume of group 'guest': a copy of it", guest.Volumes[0].Fault);
    }

    /// <summary>
    /// A member that failed knows nothing of it. Those that went on do, also where they are but one event ahead, as a member may be that was written to last.
    /// </summary>
    [Fact]
    public void MemberThatFailedOneEventAgo_IsLeftOut()
    {
        using PatchedDisk disk = new("md-missing");
        (long Place, string Name, ulong Events)[] members = [.. Superblocks(disk)];
        foreach (string name in new[] { "raid1-stale", "raid5-stale" })
        {
            ulong newest = members.Where(member => member.Name == name).Max(member => member.Events);
            foreach ((long place, _, ulong events) in members.Where(member => member.Name == name && member.Events < newest))
            {
                byte[] bytes = disk.Read(place, RaidLayout.Version1.Length);
                BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(RaidLayout.Version1.Events), newest - 1);
                uint sum = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(RaidLayout.Version1.Checksum));
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(RaidLayout.Version1.Checksum), sum + (uint)(newest - 1 - events));
                disk.Write(place, bytes);
                Assert.True(RaidMember.HasSuperblock(disk.Slice(place - RaidLayout.Version1.SecondPlace, 2 << 20)));
            }
        }

        using Guest guest = Guest.Open(disk, new GuestOptions { LeaveOpen = true });
        string[] expected = [.. File.ReadAllLines(GuestImages.Folder("volumes/md-missing.txt")).Where(line => line.Contains("-stale", StringComparison.Ordinal))];
        Assert.Equal(2, expected.Length);
        Assert.Equal<string>(expected, guest.Volumes.Where(volume => volume.Name?.EndsWith("-stale", StringComparison.Ordinal) == true)
            .Select(volume => $"{volume.Name} {volume.Length} {Sha256(volume)}")
            .Order(StringComparer.Ordinal));
    }

    private static IEnumerable<(long Place, string Name, ulong Events)> Superblocks(PatchedDisk disk)
    {
        using Guest guest = Guest.Open(disk, new GuestOptions { LeaveOpen = true });
        foreach (GuestVolume volume in guest.Volumes.Where(volume => volume.Name is null && volume.Content == "Linux RAID member"))
        {
            byte[] bytes = disk.Read(volume.Start + RaidLayout.Version1.SecondPlace, RaidLayout.Version1.Length);
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) == RaidLayout.Magic)
            {
                string name = GuestText.FromTerminated(bytes.AsSpan(RaidLayout.Version1.Name, RaidLayout.Version1.NameLength));
                yield return (volume.Start + RaidLayout.Version1.SecondPlace, name[(name.IndexOf(':') + 1)..],
                    BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(RaidLayout.Version1.Events)));
            }
        }
    }

    private static string Sha256(GuestVolume volume)
    {
        using Stream stream = volume.OpenStream();
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>The metadata areas of the physical volumes in the first half of a disk.</summary>
    private static List<long> Areas(PatchedDisk disk)
    {
        List<long> areas = [];
        for (long at = disk.Find(LabelStart, 0); areas.Count < 8; at = disk.Find(LabelStart, at + 1))
        {
            areas.Add(at + 4096 - 512);
            if (at > disk.Length / 2)
            {
                break;
            }
        }

        return areas;
    }

    /// <summary>A text that isn't longer, without lines that nobody needs.</summary>
    private static string Fitting(string text, int length)
    {
        List<string> lines = [.. text.Split('\n')];
        while (lines.Sum(line => line.Length + 1) > length && lines.Find(line => line.StartsWith("creation_", StringComparison.Ordinal)) is { } needless)
        {
            lines.Remove(needless);
        }

        return string.Join('\n', lines);
    }

    private static ReadOnlySpan<byte> LabelStart => "LABELONE"u8;

    private static void ChangeText(PatchedDisk disk, long area, Func<string, string> change)
    {
        byte[] header = disk.Read(area, LvmLayout.Area.Length);
        if (!header.AsSpan(LvmLayout.Area.Magic).StartsWith(LvmLayout.Area.MagicValue))
        {
            return;
        }

        long offset = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(LvmLayout.Area.Texts));
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(LvmLayout.Area.Texts + LvmLayout.Area.TextSize));
        if (offset == 0 || offset + length > BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(LvmLayout.Area.Size)))
        {
            return;
        }

        byte[] changed = Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(disk.Read(area + offset, length))));
        Array.Resize(ref changed, length);
        disk.Write(area + offset, changed);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(LvmLayout.Area.Texts + LvmLayout.Area.TextChecksum), Crc32.Continue(LvmLayout.ChecksumSeed, changed));
        BinaryPrimitives.WriteUInt32LittleEndian(header, Crc32.Continue(LvmLayout.ChecksumSeed, header.AsSpan(LvmLayout.Area.Magic)));
        disk.Write(area, header);
    }

    private static string Mutated(string text, Random random)
    {
        List<string> lines = [.. text.Split('\n')];
        string[] numbers = ["0", "1", "-1", "2", "3", "4294967295", "9223372036854775807", "99999999999999999999", "\"\"", "[]", "65536"];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(lines.Count);
            int other = random.Next(lines.Count);
            switch (random.Next(4))
            {
                case 0:
                    lines[at] = lines[other];
                    break;
                case 1:
                    lines.RemoveAt(at);
                    break;
                case 2 when lines[at].IndexOf('=') is > 0 and var end:
                    lines[at] = lines[at][..(end + 1)] + numbers[random.Next(numbers.Length)];
                    break;
                default:
                    lines[at] = lines[at].Replace("\"pv0\"", "\"base\"", StringComparison.Ordinal).Replace("striped", "thin-pool", StringComparison.Ordinal);
                    break;
            }
        }

        return string.Join('\n', lines);
    }
}
