namespace Qcow2Stream.Codecs.Zstd;

/// <content>The Literals_Section (RFC 8878, section 3.1.1.3.1).</content>
internal unsafe ref partial struct ZstdFrameDecoder
{
    // A compressed block has at least a header of literals, and of sequences.
    private const int MinCompressedBlock = 2;
    private const int MinFourStreams = 6;

    private enum LiteralsType
    {
        Raw,
        Rle,
        Compressed,
        Treeless,
    }

    /// <summary>Reads the literals of a block.</summary>
    /// <param name="section">The section; then, what follows it.</param>
    /// <param name="blockEnd">The end of the block.</param>
    /// <returns>False if they are broken.</returns>
    private bool TryReadLiterals(ref byte* section, byte* blockEnd)
    {
        if (blockEnd - section < MinCompressedBlock)
        {
            return false;
        }

        var type = (LiteralsType)(*section & 3);
        return type is LiteralsType.Raw or LiteralsType.Rle
            ? TryReadPlain(ref section, blockEnd, type)
            : TryReadCompressed(ref section, blockEnd, type == LiteralsType.Treeless);
    }

    private bool TryReadPlain(ref byte* section, byte* blockEnd, LiteralsType type)
    {
        int sizeFormat = (*section >> 2) & 3;
        int headerLength = sizeFormat switch { 1 => 2, 3 => 3, _ => 1 };
        long left = blockEnd - section - headerLength;
        if (left < 0)
        {
            return false;
        }

        int size = sizeFormat switch
        {
            1 => (section[0] | (section[1] << 8)) >> 4,
            3 => (section[0] | (section[1] << 8) | (section[2] << 16)) >> 4,
            _ => section[0] >> 3,
        };
        section += headerLength;
        int length = type == LiteralsType.Raw ? size : 1;
        if (size > _maxBlock || size > Room || length > left)
        {
            return false;
        }

        _literals = _tables->Literals;
        if (type == LiteralsType.Rle)
        {
            new Span<byte>(_literals, size).Fill(*section);
        }
        else if (_inputEnd - section < size + ZstdTables.LiteralsSlack)
        {
            new ReadOnlySpan<byte>(section, size).CopyTo(new Span<byte>(_literals, size));
        }
        else
        {
            // As what follows them can be read too, they need not be copied.
            _literals = section;
        }

        _literalsEnd = _literals + size;
        section += length;
        return true;
    }

    private bool TryReadCompressed(ref byte* section, byte* blockEnd, bool isTreeless)
    {
        int sizeFormat = (*section >> 2) & 3;
        int headerLength = Math.Max(3, sizeFormat + 2);
        if (blockEnd - section < 5)
        {
            // No header is longer; and no Huffman-coded literals, with the sequences' header, are shorter.
            return false;
        }

        ulong header = ReadUInt32(section) | ((ulong)section[4] << 32);
        int sizeBits = sizeFormat switch { 2 => 14, 3 => 18, _ => 10 };
        int size = (int)(header >> 4) & ((1 << sizeBits) - 1);
        int compressedSize = (int)(header >> (4 + sizeBits)) & ((1 << sizeBits) - 1);
        section += headerLength;
        if (size > _maxBlock || size > Room || compressedSize > blockEnd - section)
        {
            return false;
        }

        byte* input = section;
        byte* inputEnd = section + compressedSize;
        section = inputEnd;
        if (!isTreeless)
        {
            _huffmanLog = HuffmanTable.Read(ref input, inputEnd, _tables);
        }

        if (_huffmanLog == 0)
        {
            return false;
        }

        _literals = _tables->Literals;
        _literalsEnd = _literals + size;
        return sizeFormat == 0
            ? HuffmanStreams.TryDecodeOne(_tables->Huffman, _huffmanLog, input, inputEnd, _literals, _literalsEnd)
            : size >= MinFourStreams
                && HuffmanStreams.TryDecodeFour(_tables->Huffman, _huffmanLog, input, inputEnd, _literals, _literalsEnd);
    }
}
