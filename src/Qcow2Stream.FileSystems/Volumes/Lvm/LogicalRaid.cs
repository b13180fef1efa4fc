using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Volumes.Raid;

namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>A segment that is a RAID, which Linux' dm-raid driver makes of images (Documentation/admin-guide/device-mapper/dm-raid.rst).</summary>
/// <param name="segment">The segment.</param>
/// <param name="type">Its type.</param>
/// <param name="length">How many bytes it has.</param>
internal sealed class LogicalRaid(MetadataNode segment, string type, long length)
{
    // Two copies beside each other.
    private const int DefaultRaid10 = 0x102;

    private static readonly Dictionary<string, ParityLayout> Layouts = new()
    {
        ["raid4"] = ParityLayout.ParityFirst,
        ["raid5"] = ParityLayout.LeftSymmetric,
        ["raid5_n"] = ParityLayout.ParityLast,
        ["raid5_la"] = ParityLayout.LeftAsymmetric,
        ["raid5_ra"] = ParityLayout.RightAsymmetric,
        ["raid5_ls"] = ParityLayout.LeftSymmetric,
        ["raid5_rs"] = ParityLayout.RightSymmetric,
        ["raid6"] = ParityLayout.RotatingZeroRestart,
        ["raid6_zr"] = ParityLayout.RotatingZeroRestart,
        ["raid6_nr"] = ParityLayout.RotatingNRestart,
        ["raid6_nc"] = ParityLayout.RotatingNContinue,
        ["raid6_n_6"] = ParityLayout.ParityLast,
        ["raid6_la_6"] = ParityLayout.LeftAsymmetricQLast,
        ["raid6_ra_6"] = ParityLayout.RightAsymmetricQLast,
        ["raid6_ls_6"] = ParityLayout.LeftSymmetricQLast,
        ["raid6_rs_6"] = ParityLayout.RightSymmetricQLast,
        ["raid6_0_6"] = ParityLayout.ParityFirstQLast,
    };

    public static bool Knows(string type) => Layouts.ContainsKey(type) || type is "raid0" or "raid0_meta" or "raid1" or "raid10" or "raid10_near";

    /// <summary>The bytes of the segment.</summary>
    public IBlockSource Open(IReadOnlyList<LogicalImage?> images)
    {
        if (segment.Number("data_offset", 0) != 0)
        {
            throw new GuestException("it is being reshaped, which is not handled");
        }

        IBlockSource?[] members = [.. images.Select(image => image?.Data)];
        if (images.Any(image => image?.Description is not null))
        {
            LeaveOut(members, images);
        }

        long chunk = type == "raid1" ? 0 : segment.Number("stripe_size") * LvmLayout.Sector;
        int missing = members.Count(member => member is null);
        if (members.Length == missing || (type != "raid1" && chunk == 0))
        {
            throw new GuestException(members.Length == missing ? "all its images are missing" : "its metadata is damaged: stripes of 0 bytes");
        }

        IBlockSource opened = type switch
        {
            "raid0" or "raid0_meta" => missing == 0
                ? new Striped(members!, chunk)
                : throw new GuestException($"{missing} of its {members.Length} images are missing"),
            "raid1" => new Mirrored([.. members.OfType<IBlockSource>()]),
            "raid10" or "raid10_near" => new Raid10Volume(members, (int)(DefaultRaid10 - 2 + segment.Number("data_copies", 2)), chunk),
            _ => ParityOf(members, missing, chunk),
        };
        return opened.Length >= length ? opened.Slice(0, length) : throw new GuestException("its images are too short for it");
    }

    private ParityVolume ParityOf(IBlockSource?[] members, int missing, long chunk)
    {
        bool hasQ = type.StartsWith("raid6", StringComparison.Ordinal);
        return missing <= (hasQ ? 2 : 1) && members.Length > (hasQ ? 3 : 1)
            ? new ParityVolume(members, Layouts[type], chunk, hasQ, length)
            : throw new GuestException($"{missing} of its {members.Length} images are missing");
    }

    /// <summary>Leaves out those that the others say have failed, and those whose content is old or not whole yet.</summary>
    private void LeaveOut(IBlockSource?[] members, IReadOnlyList<LogicalImage?> images)
    {
        RaidDescription?[] descriptions = [.. images.Select(image => image?.Description is { } place ? RaidDescription.Read(place) : null)];
        if (descriptions.OfType<RaidDescription>().MaxBy(each => each.Events) is not { } newest)
        {
            // Never activated.
            return;
        }

        if (descriptions.OfType<RaidDescription>().Any(each => each.IsReshaped))
        {
            throw new GuestException("it is being reshaped, or was, which is not handled");
        }

        for (int i = 0; i < members.Length; i++)
        {
            bool isGood = descriptions[i] is { } own && own.Events + 1 >= newest.Events && own.RecoveredTo >= (members[i]?.Length ?? 0) && !newest.HasFailed(i);
            members[i] = isGood ? members[i] : null;
        }

        if (type != "raid1" && !type.StartsWith("raid10", StringComparison.Ordinal) && members.Contains(null) && newest.SynchronisedTo < images.OfType<LogicalImage>().First().Data.Length)
        {
            throw new GuestException("an image is missing, and the others were not in sync");
        }
    }

    /// <summary>What dm-raid knows of an image: its superblock (drivers/md/dm-raid.c).</summary>
    private sealed record RaidDescription(ulong Events, ulong Failed, long RecoveredTo, long SynchronisedTo, bool IsReshaped)
    {
        // With a feature of version 1.9 of the driver, what a reshape left is described, too.
        private const int FeaturesOffset = 4;
        private const int FlagsOffset = 60;
        private const int DataOffset = 96;
        private const uint DescribesReshapes = 1;
        private const uint IsReshaping = 1;
        private const uint Magic = 0x64526D44;
        private const int EventsOffset = 16;
        private const int FailedOffset = 24;
        private const int RecoveryOffset = 32;
        private const int SynchronisedOffset = 40;
        private const int Length = 128;

        public bool HasFailed(int image) => image < 64 && ((Failed >> image) & 1) != 0;

        /// <summary>Null if there is none.</summary>
        public static RaidDescription? Read(IBlockSource place)
        {
            byte[] bytes = new byte[Length];
            place.ReadExactly(0, bytes);
            return BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic
                ? new RaidDescription(Quad(bytes, EventsOffset), Quad(bytes, FailedOffset), InBytes(bytes, RecoveryOffset), InBytes(bytes, SynchronisedOffset),
                    (Word(bytes, FeaturesOffset) & DescribesReshapes) != 0 && ((Word(bytes, FlagsOffset) & IsReshaping) != 0 || Quad(bytes, DataOffset) != 0))
                : null;
        }

        private static long InBytes(byte[] bytes, int offset) => (long)Math.Min(Quad(bytes, offset), long.MaxValue / LvmLayout.Sector) * LvmLayout.Sector;

        private static uint Word(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

        private static ulong Quad(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(offset));
    }
}
