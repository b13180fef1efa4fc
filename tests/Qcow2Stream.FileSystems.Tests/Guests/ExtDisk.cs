using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Ext;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>The bytes of an ext file system, to be changed.</summary>
internal sealed class ExtDisk
{
    /// <param name="name">The disk's name.</param>
    /// <param name="start">Where the file system is on it, in mebibytes.</param>
    /// <param name="length">Its length in mebibytes; all of the disk if it is 0.</param>
    public ExtDisk(string name, int start = 0, int length = 0)
    {
        using Qcow2ChainStream disk = new(GuestImages.Disk(name));
        Bytes = new byte[length == 0 ? disk.Length : (long)length << 20];
        disk.Position = (long)start << 20;
        disk.ReadExactly(Bytes);
    }

    public byte[] Bytes { get; }

    public Span<byte> Superblock => Bytes.AsSpan(ExtLayout.Superblock.Offset, ExtLayout.Superblock.Length);

    public int BlockSize => 1024 << Superblock[ExtLayout.Superblock.LogBlockSize];

    /// <summary>An inode, of a volume whose descriptors follow the superblock.</summary>
    public Span<byte> Inode(uint number)
    {
        uint perGroup = BinaryPrimitives.ReadUInt32LittleEndian(Superblock[ExtLayout.Superblock.InodesPerGroup..]);
        int table = (int)BinaryPrimitives.ReadUInt32LittleEndian(Descriptor((int)((number - 1) / perGroup))[ExtLayout.Descriptor.InodeTable..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(Superblock[ExtLayout.Superblock.InodeSize..]);
        return Bytes.AsSpan((table * BlockSize) + ((int)((number - 1) % perGroup) * size), size);
    }

    /// <summary>The inode of a path.</summary>
    public Span<byte> Inode(string path)
    {
        using Guest guest = Guest.Open(new MemoryStream(Bytes));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        int name = path.LastIndexOf('/') + 1;
        return Inode((uint)files.Find(path[..name])!.EnumerateChildren().Single(entry => entry.Name == path[name..]).Identity!);
    }

    public Span<byte> Descriptor(int group)
    {
        bool is64Bit = (Superblock[ExtLayout.Superblock.IncompatibleFeatures] & ExtLayout.Feature.SixtyFourBit) != 0;
        int size = is64Bit ? ExtLayout.Descriptor.LargeLength : ExtLayout.Descriptor.SmallLength;
        int block = (ExtLayout.Superblock.Offset / BlockSize) + 1;
        return Bytes.AsSpan((block * BlockSize) + (group * size), size);
    }

    /// <summary>The error that something on the volume ends in.</summary>
    public string Fault(string path, Action<GuestEntry> read)
    {
        using GuestFileSystem files = Open();
        return Assert.Throws<GuestException>(() => read(files.Find(path)!)).Message;
    }

    public GuestFileSystem Open() =>
        ExtFileSystem.Open(new FileSystemSource(BlockSource.FromStream(new MemoryStream(Bytes)), [], GuestOptions.Default), "ext4");
}
