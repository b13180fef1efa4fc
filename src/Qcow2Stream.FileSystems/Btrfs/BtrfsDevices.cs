using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The devices of a file system: the volume that it was opened on, and others of the guest as far as they are there.</summary>
internal sealed class BtrfsDevices
{
    private readonly FileSystemSource _volume;
    private readonly BtrfsSuperblock _superblock;
    private readonly Lazy<Dictionary<UInt128, (IBlockSource Volume, BtrfsSuperblock Superblock)>> _others;

    public BtrfsDevices(FileSystemSource volume, BtrfsSuperblock superblock)
    {
        (_volume, _superblock) = (volume, superblock);
        _others = new(FindOthers, LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>The superblock of the highest generation: a device that was away for a while has an old one, whichever is asked for first.</summary>
    public BtrfsSuperblock Newest => _superblock.DeviceCount == 1
        ? _superblock
        : _others.Value.Values.Select(other => other.Superblock)
            .Where(other => other.FileSystem.SequenceEqual(_superblock.FileSystem))
            .Prepend(_superblock)
            .MaxBy(superblock => superblock.Generation)!;

    /// <summary>Marks which volumes are further devices of a file system that one before them has.</summary>
    public static void Mark(IReadOnlyList<GuestVolume> volumes)
    {
        Dictionary<UInt128, (GuestVolume Volume, HashSet<UInt128> Devices)> fileSystems = [];
        foreach (GuestVolume volume in volumes.Where(volume => volume.Content == BtrfsFileSystem.Kind))
        {
            if (SuperblockOf(volume.Source) is not { DeviceCount: > 1 } superblock)
            {
                continue;
            }

            UInt128 fileSystem = BinaryPrimitives.ReadUInt128LittleEndian(superblock.FileSystem);
            if (!fileSystems.TryGetValue(fileSystem, out (GuestVolume Volume, HashSet<UInt128> Devices) known))
            {
                fileSystems.Add(fileSystem, (volume, [superblock.DeviceUuid]));
            }
            else if (known.Devices.Add(superblock.DeviceUuid))
            {
                // A device that comes twice is a copy of another disk.
                volume.DeviceOf = known.Volume;
            }
        }
    }

    /// <summary>Whether nodes of a UUID belong to the file system: those of a device that it grew from have another than its own.</summary>
    public bool HasNodesOf(ReadOnlySpan<byte> uuid)
    {
        if (uuid.SequenceEqual(_superblock.MetadataUuid))
        {
            return true;
        }

        foreach ((_, BtrfsSuperblock other) in _others.Value.Values)
        {
            if (uuid.SequenceEqual(other.MetadataUuid))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads from a device.</summary>
    /// <returns>Null, or why it can't be read.</returns>
    public string? TryRead(BtrfsStripe stripe, ulong place, Span<byte> buffer)
    {
        _volume.ThrowIfEnded();
        IBlockSource? device = stripe.DeviceUuid == _superblock.DeviceUuid ? _volume : _others.Value.GetValueOrDefault(stripe.DeviceUuid).Volume;
        if (device is null)
        {
            return $"it needs device {stripe.DeviceId} of the file system, which is not there";
        }

        if (place > (ulong)Math.Max(0, device.Length - buffer.Length) || device.Length < buffer.Length)
        {
            return $"it is at byte {place} of device {stripe.DeviceId}, past its end";
        }

        BlockSource.ReadExactly(device, (long)place, buffer);
        return null;
    }

    /// <summary>Any volume with a superblock counts: a chunk says by its UUID whether it is meant. One that can't be read is not there.</summary>
    private Dictionary<UInt128, (IBlockSource Volume, BtrfsSuperblock Superblock)> FindOthers()
    {
        Dictionary<UInt128, (IBlockSource Volume, BtrfsSuperblock Superblock)> others = [];
        foreach (IBlockSource volume in _volume.Siblings)
        {
            _volume.ThrowIfEnded();
            if (SuperblockOf(volume) is { } found && found.DeviceUuid != _superblock.DeviceUuid)
            {
                others.TryAdd(found.DeviceUuid, (volume, found));
            }
        }

        return others;
    }

    private static BtrfsSuperblock? SuperblockOf(IBlockSource volume)
    {
        try
        {
            return BtrfsSuperblock.Find(volume)?.Judge();
        }
        catch (IOException)
        {
            return null;
        }
    }
}
