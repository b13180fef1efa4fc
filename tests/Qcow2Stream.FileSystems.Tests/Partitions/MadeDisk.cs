using System.Buffers.Binary;
using System.Text;
using Qcow2Stream.FileSystems.Partitions;

namespace Qcow2Stream.FileSystems.Tests.Partitions;

/// <summary>A small disk in memory, and tables to write into it.</summary>
internal sealed class MadeDisk(int sectors, int sectorSize = 512)
{
    private const int MbrTable = 0x1BE;
    private const uint BsdMagic = 0x82564557;

    public byte[] Bytes { get; } = new byte[sectors * sectorSize];

    public IBlockSource Source => BlockSource.FromStream(new MemoryStream(Bytes));

    public int LastSector => sectors - 1;

    public MadeDisk Sign(int sector)
    {
        (Bytes[(sector * sectorSize) + 510], Bytes[(sector * sectorSize) + 511]) = (0x55, 0xAA);
        return this;
    }

    public MadeDisk Entry(int sector, int index, byte type, uint start, uint length, byte boot = 0)
    {
        Span<byte> entry = Bytes.AsSpan((sector * sectorSize) + MbrTable + (index * 16), 16);
        (entry[0], entry[4]) = (boot, type);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], start);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], length);
        return Sign(sector);
    }

    /// <summary>Both headers of a GPT, without the boot record that refers to it.</summary>
    public MadeDisk Gpt(params ReadOnlySpan<(int Number, long First, long Last)> partitions)
    {
        byte[] entries = new byte[128 * 128];
        foreach ((int number, long first, long last) in partitions)
        {
            Span<byte> entry = entries.AsSpan((number - 1) * 128);
            new Guid("0FC63DAF-8483-4772-8E79-3D69D8477DE4").TryWriteBytes(entry);
            new Guid(number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).TryWriteBytes(entry[16..]);
            BinaryPrimitives.WriteInt64LittleEndian(entry[32..], first);
            BinaryPrimitives.WriteInt64LittleEndian(entry[40..], last);
        }

        int arraySectors = entries.Length / sectorSize;
        Header(1, LastSector, 2, arraySectors, entries);
        Header(LastSector, 1, LastSector - arraySectors, arraySectors, entries);
        return this;
    }

    public MadeDisk BsdLabel(int offset, params ReadOnlySpan<(int Type, int Start, int Length)> partitions)
    {
        Span<byte> label = Bytes.AsSpan(offset, 148 + (16 * partitions.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(label, BsdMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(label[132..], BsdMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(label[138..], (ushort)partitions.Length);
        for (int i = 0; i < partitions.Length; i++)
        {
            Span<byte> entry = label[(148 + (i * 16))..];
            BinaryPrimitives.WriteInt32LittleEndian(entry, partitions[i].Length);
            BinaryPrimitives.WriteInt32LittleEndian(entry[4..], partitions[i].Start);
            entry[12] = (byte)partitions[i].Type;
        }

        ushort checksum = 0;
        for (int i = 0; i < label.Length; i += 2)
        {
            checksum ^= BinaryPrimitives.ReadUInt16LittleEndian(label[i..]);
        }

        BinaryPrimitives.WriteUInt16LittleEndian(label[136..], checksum);
        return this;
    }

    public MadeDisk AppleMap(params ReadOnlySpan<(string Name, string Type, int Start, int Length)> partitions)
    {
        "ER"u8.CopyTo(Bytes);
        BinaryPrimitives.WriteUInt16BigEndian(Bytes.AsSpan(2), (ushort)sectorSize);
        BinaryPrimitives.WriteUInt32BigEndian(Bytes.AsSpan(4), (uint)sectors);
        for (int i = 0; i < partitions.Length; i++)
        {
            Span<byte> entry = Bytes.AsSpan((i + 1) * sectorSize, sectorSize);
            "PM"u8.CopyTo(entry);
            BinaryPrimitives.WriteInt32BigEndian(entry[4..], partitions.Length);
            BinaryPrimitives.WriteInt32BigEndian(entry[8..], partitions[i].Start);
            BinaryPrimitives.WriteInt32BigEndian(entry[12..], partitions[i].Length);
            Encoding.ASCII.GetBytes(partitions[i].Name).CopyTo(entry[16..]);
            Encoding.ASCII.GetBytes(partitions[i].Type).CopyTo(entry[48..]);
        }

        return this;
    }

    private void Header(long own, long other, long array, int arraySectors, byte[] entries)
    {
        Span<byte> header = Bytes.AsSpan((int)own * sectorSize, 92);
        "EFI PART"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], 0x10000);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], header.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], own);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], other);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], 2 + arraySectors);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], LastSector - 1 - arraySectors);
        BinaryPrimitives.WriteInt64LittleEndian(header[72..], array);
        BinaryPrimitives.WriteInt32LittleEndian(header[80..], 128);
        BinaryPrimitives.WriteInt32LittleEndian(header[84..], 128);
        BinaryPrimitives.WriteUInt32LittleEndian(header[88..], Crc32.Of(entries));
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], Crc32.Of(header));
        entries.CopyTo(Bytes, (int)array * sectorSize);
    }
}
