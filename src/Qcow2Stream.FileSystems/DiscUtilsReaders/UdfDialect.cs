using System.Buffers.Binary;
using System.Text;
using DiscUtils.Vfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>UDF (ECMA-167, part 4): its reader takes links for files, and the holes of files for their data.</summary>
internal sealed class UdfDialect : VfsDialect
{
    public static readonly UdfDialect Instance = new();

    private const int SymbolicLink = 12;
    private const int LongDescriptors = 1;
    private const int LongDescriptorLength = 16;
    private const uint ExtentLengthBits = 0x3FFFFFFF;

    // Parts of a path: 14.16.1.
    private const int ComponentHeaderLength = 4;
    private const byte OtherRoot = 1;
    private const byte Root = 2;
    private const byte Parent = 3;
    private const byte Current = 4;
    private const byte Name = 5;

    public override bool IsLink(VfsInternals tree, VfsDirEntry entry) => VfsInternals.UdfFileTypeOf(tree.FileOf(entry)) == SymbolicLink;

    public override FileContent Open(VfsInternals tree, VfsDirEntry entry, long length)
    {
        (int kind, byte[] descriptors) = VfsInternals.UdfAllocationOf(tree.FileOf(entry));
        for (int at = 0; kind == LongDescriptors && at + LongDescriptorLength <= descriptors.Length; at += LongDescriptorLength)
        {
            uint extent = BinaryPrimitives.ReadUInt32LittleEndian(descriptors.AsSpan(at));
            if ((extent & ExtentLengthBits) != 0 && (extent & ~ExtentLengthBits) != 0)
            {
                throw new GuestException("it has holes, which are not handled on UDF");
            }
        }

        return base.Open(tree, entry, length);
    }

    public override string? TargetOf(VfsInternals tree, VfsDirEntry entry)
    {
        using Stream content = StreamOf(tree, entry);
        byte[] path = new byte[Math.Min(content.Length, 1 << 16)];
        content.ReadExactly(path);
        List<string> components = [];
        for (int at = 0; at + ComponentHeaderLength <= path.Length; at += ComponentHeaderLength + path[at + 1])
        {
            string? component = path[at] switch
            {
                OtherRoot or Root => "",
                Parent => "..",
                Current => ".",
                Name => Text(path.AsSpan(at + ComponentHeaderLength)[..path[at + 1]]),
                _ => null,
            };
            if (component is null)
            {
                return null;
            }

            components.Add(component);
        }

        return components is [""] ? "/" : string.Join('/', components);
    }

    /// <summary>OSTA's compressed Unicode: the first byte says how many bits a character has (2.1.1 of the UDF specification).</summary>
    private static string Text(ReadOnlySpan<byte> text) => text.IsEmpty ? ""
        : text[0] == 16 ? Encoding.BigEndianUnicode.GetString(text[1..])
        : Encoding.Latin1.GetString(text[1..]);
}
