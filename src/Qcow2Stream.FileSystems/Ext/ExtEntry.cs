using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>A name in an ext file system.</summary>
internal sealed class ExtEntry(ExtVolume volume, string name, uint inodeNumber) : GuestEntry(volume.Options)
{
    private const int HeaderLength = 8;

    // As many as an index of two levels leads to: Linux keeps blocks that have become empty.
    private const int MaxEmptyBlocks = 1 << 18;

    // As long as a path may be.
    private const int MaxTargetLength = 1 << 16;

    // In an inode, a directory has its parent's number before its names.
    private const int InlineParentLength = 4;

    private ExtInode? _inode;

    public override string Name => name;

    public override GuestEntryKind Kind => Inode.Kind;

    public override long Length => Kind == GuestEntryKind.File ? Inode.Length : 0;

    public override DateTime ModifiedUtc => ReaderErrors.Call(() => Inode.ModifiedUtc);

    public override GuestUnixMode? UnixMode => Inode.Mode;

    public override object? Identity => inodeNumber;

    public override string LinkTarget => ReaderErrors.Call(ReadTarget);

    internal override bool HasByteNames => true;

    private ExtInode Inode => _inode ??= ReaderErrors.Call(() => volume.Inode(inodeNumber));

    internal override FileContent OpenContent()
    {
        CheckReadable();
        return ReaderErrors.Call<FileContent>(() => Inode.IsInline
            ? new InlineContent(Inode.InlineData, Inode.Length)
            : new ExtContent(volume, Inode));
    }

    /// <summary>
    /// Names stand one after the other in each block. The index that large directories have besides looks like blocks
    /// without names.
    /// </summary>
    internal override IEnumerable<GuestEntry> ReadDirectory() =>
        ReaderErrors.Each(() => Inode.IsInline ? InlineNames() : NamesInBlocks());

    private string ReadTarget()
    {
        CheckReadable();
        int length = (int)Math.Min(Inode.Length, MaxTargetLength);
        if (Inode.IsShortLink)
        {
            return length < ExtLayout.Inode.MapLength
                ? GuestText.FromBytes(Inode.Map[..length])
                : throw new GuestException($"its target is damaged: {length} bytes, without a block");
        }

        byte[] target = new byte[length];
        OpenContent().ReadExactly(0, target);
        return GuestText.FromBytes(target);
    }

    private IEnumerable<ExtEntry> InlineNames()
    {
        byte[] data = Inode.InlineData;
        int length = (int)Inode.Length;
        int map = Math.Min(length, ExtLayout.Inode.MapLength);
        return Names(data.AsSpan(InlineParentLength, map - InlineParentLength)).Concat(Names(data.AsSpan(map, length - map)));
    }

    private IEnumerable<ExtEntry> NamesInBlocks()
    {
        CheckReadable();
        int empty = 0;
        foreach (byte[] block in new ExtContent(volume, Inode).DirectoryBlocks())
        {
            List<ExtEntry> names = Names(block);
            empty += names.Count == 0 ? 1 : 0;
            if (empty > MaxEmptyBlocks)
            {
                throw new GuestException($"the directory is damaged: more than {MaxEmptyBlocks} of its blocks have no names");
            }

            foreach (ExtEntry name in names)
            {
                yield return name;
            }
        }
    }

    private List<ExtEntry> Names(ReadOnlySpan<byte> block)
    {
        List<ExtEntry> names = [];
        while (block.Length >= HeaderLength)
        {
            uint inode = BinaryPrimitives.ReadUInt32LittleEndian(block);
            int recordLength = BinaryPrimitives.ReadUInt16LittleEndian(block[4..]);

            // In blocks of 64 KiB, what does not fit into the field is written so.
            recordLength = recordLength is 0 or ushort.MaxValue ? block.Length : recordLength;
            int nameLength = block[6];
            if (recordLength < HeaderLength + nameLength || recordLength > block.Length)
            {
                throw new GuestException("the directory is damaged");
            }

            string child = GuestText.FromBytes(block.Slice(HeaderLength, nameLength));
            if (inode != 0 && child is not ("." or ".." or ""))
            {
                names.Add(new ExtEntry(volume, child, inode));
            }

            block = block[recordLength..];
        }

        return names;
    }

    private void CheckReadable()
    {
        if (Inode.IsEncrypted)
        {
            throw new GuestException("it is encrypted (fscrypt)");
        }
    }
}
