using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Org.BouncyCastle.Crypto;

namespace Qcow2Stream.Crypto.Luks;

/// <summary>One of the two binary headers of a LUKS2 volume (LUKS2 On-Disk Format Specification, section 2.1). Immutable.</summary>
internal sealed class Luks2BinaryHeader
{
    private readonly KeyHash _checksumHash;
    private readonly byte[] _bytes;

    private Luks2BinaryHeader(KeyHash checksumHash, byte[] bytes)
    {
        _checksumHash = checksumHash;
        _bytes = bytes;
    }

    /// <summary>The magic of the first header, which is that of LUKS1 too.</summary>
    public static ReadOnlySpan<byte> PrimaryMagic => [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE];

    /// <summary>The magic of the second one.</summary>
    public static ReadOnlySpan<byte> SecondaryMagic => [(byte)'S', (byte)'K', (byte)'U', (byte)'L', 0xBA, 0xBE];

    /// <summary>The length of the header with its JSON area, in bytes.</summary>
    public int Size => (int)BinaryPrimitives.ReadUInt64BigEndian(_bytes.AsSpan(Luks2Layout.HeaderSize));

    /// <summary>Grows with each change: the header with the higher one is the newer one.</summary>
    public ulong SequenceId => BinaryPrimitives.ReadUInt64BigEndian(_bytes.AsSpan(Luks2Layout.SequenceId));

    /// <summary>The label, unchecked, to be escaped before it is shown; empty for none.</summary>
    public string Label => Text(Luks2Layout.Label, Luks2Layout.LabelLength, Encoding.UTF8);

    /// <summary>The UUID: unchecked, one character a byte, likewise.</summary>
    public string Uuid => Text(Luks2Layout.Uuid, Luks2Layout.UuidLength, Encoding.Latin1);

    /// <summary>Reads a header and checks what it says of itself, but for its checksum.</summary>
    /// <param name="header">Its <see cref="Luks2Layout.Length"/> bytes.</param>
    /// <param name="offset">Where it starts, in bytes from the start of the volume; that of the first one is 0.</param>
    /// <exception cref="CryptoFormatException">It is no such header, or a broken one.</exception>
    /// <exception cref="CryptoUnsupportedException">The hash of its checksum is not known.</exception>
    public static Luks2BinaryHeader Parse(ReadOnlySpan<byte> header, long offset)
    {
        if (!header.StartsWith(offset == 0 ? PrimaryMagic : SecondaryMagic))
        {
            throw new CryptoFormatException("its magic is missing");
        }

        ushort version = BinaryPrimitives.ReadUInt16BigEndian(header[Luks2Layout.Version..]);
        if (version != 2)
        {
            throw new CryptoFormatException($"its version is {version}; it must be 2");
        }

        ulong ownOffset = BinaryPrimitives.ReadUInt64BigEndian(header[Luks2Layout.HeaderOffset..]);
        if (ownOffset != (ulong)offset)
        {
            throw new CryptoFormatException($"its offset is {ownOffset}; it is at {offset}");
        }

        ulong size = BinaryPrimitives.ReadUInt64BigEndian(header[Luks2Layout.HeaderSize..]);
        if (size is < Luks2Layout.MinHeaderSize or > Luks2Layout.MaxHeaderSize || !BitOperations.IsPow2(size))
        {
            throw new CryptoFormatException($"its size is {size}; it must be a power of two from {Luks2Layout.MinHeaderSize} to {Luks2Layout.MaxHeaderSize}");
        }

        if (offset != 0 && size != (ulong)offset)
        {
            throw new CryptoFormatException($"its size is {size}; it must be its offset, {offset}");
        }

        ReadOnlySpan<byte> algorithm = header.Slice(Luks2Layout.ChecksumAlgorithm, Luks2Layout.AlgorithmLength);
        int end = algorithm.IndexOf((byte)0);
        var hash = KeyHash.Find(Encoding.Latin1.GetString(end < 0 ? algorithm : algorithm[..end]));
        return new Luks2BinaryHeader(hash, header[..Luks2Layout.Length].ToArray());
    }

    /// <summary>Holds the header and its JSON area against the checksum.</summary>
    /// <param name="json">The JSON area: all of <see cref="Size"/> that comes after the binary header.</param>
    /// <exception cref="CryptoFormatException">The checksum is another.</exception>
    public void Verify(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> stored = _bytes.AsSpan(Luks2Layout.Checksum, Luks2Layout.ChecksumLength);
        IDigest digest = _checksumHash.CreateDigest();

        // The checksum itself counts as zeros.
        digest.BlockUpdate(_bytes.AsSpan(0, Luks2Layout.Checksum));
        digest.BlockUpdate(new byte[Luks2Layout.ChecksumLength]);
        digest.BlockUpdate(_bytes.AsSpan(Luks2Layout.Checksum + Luks2Layout.ChecksumLength));
        digest.BlockUpdate(json);
        byte[] actual = new byte[_checksumHash.DigestLength];
        digest.DoFinal(actual);
        if (!stored.StartsWith(actual))
        {
            throw new CryptoFormatException($"its checksum is wrong ({_checksumHash.Name})");
        }
    }

    private string Text(int offset, int length, Encoding encoding)
    {
        ReadOnlySpan<byte> bytes = _bytes.AsSpan(offset, length);
        int end = bytes.IndexOf((byte)0);
        return encoding.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
