using System.Text;

namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>The header, its extensions and the backing file's name: everything at the front of the first cluster.</summary>
internal sealed class HeaderWriter(Qcow2Builder description)
{
    public byte[] Write(long l1Offset, int l1Size, long tableOffset, int tableClusters)
    {
        int headerLength = description.HeaderLength ?? (description.Version == 2 ? 72 : 112);
        byte[] header = new byte[Math.Max(headerLength, HeaderField.CompressionType + 8)];
        header.WriteU32(HeaderField.Magic, 0x514649FB)
            .WriteU32(HeaderField.Version, description.Version)
            .WriteU32(HeaderField.ClusterBits, (uint)description.ClusterBits)
            .WriteU64(HeaderField.Size, (ulong)description.Size)
            .WriteU32(HeaderField.CryptMethod, description.CryptMethod)
            .WriteU32(HeaderField.L1Size, (uint)l1Size)
            .WriteU64(HeaderField.L1TableOffset, (ulong)l1Offset)
            .WriteU64(HeaderField.RefcountTableOffset, (ulong)tableOffset)
            .WriteU32(HeaderField.RefcountTableClusters, (uint)tableClusters);
        if (description.Version >= 3)
        {
            header.WriteU64(HeaderField.IncompatibleFeatures, IncompatibleFeatures())
                .WriteU64(HeaderField.CompatibleFeatures, description.CompatibleFeatures)
                .WriteU64(HeaderField.AutoclearFeatures, description.AutoclearFeatures)
                .WriteU32(HeaderField.RefcountOrder, (uint)description.RefcountOrder)
                .WriteU32(HeaderField.HeaderLength, (uint)headerLength)
                .WriteU8(HeaderField.CompressionType, (byte)description.CompressionType);
        }

        byte[] extensions = Extensions();
        if (description.BackingFile is { } backingFile)
        {
            byte[] name = Encoding.UTF8.GetBytes(backingFile);
            header.WriteU64(HeaderField.BackingFileOffset, (ulong)(headerLength + extensions.Length))
                .WriteU32(HeaderField.BackingFileSize, (uint)name.Length);
            return [.. header.AsSpan(0, headerLength), .. extensions, .. name];
        }

        return [.. header.AsSpan(0, headerLength), .. extensions];
    }

    private ulong IncompatibleFeatures() =>
        description.IncompatibleFeatures |
        (description.ExternalData ? 1UL << 2 : 0) |
        (description.CompressionType != CompressionType.Zlib ? 1UL << 3 : 0) |
        (description.ExtendedL2 ? 1UL << 4 : 0);

    private byte[] Extensions()
    {
        IEnumerable<HeaderExtension> all = description.BackingFormat is { } format
            ? [new HeaderExtension(HeaderExtension.BackingFormat, Encoding.UTF8.GetBytes(format)), .. description.Extensions]
            : description.Extensions;
        using var bytes = new MemoryStream();
        foreach (HeaderExtension extension in all)
        {
            bytes.Write(new byte[8].WriteU32(0, extension.Type).WriteU32(4, (uint)extension.Data.Length));
            bytes.Write(extension.Data);
            bytes.Write(new byte[-extension.Data.Length & 7]);
        }

        bytes.Write(new byte[8]);
        return bytes.ToArray();
    }
}
