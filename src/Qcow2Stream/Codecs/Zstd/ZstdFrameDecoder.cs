using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Zstd;

/// <summary>Decodes Zstandard frames (RFC 8878) from memory into memory, each in one go.</summary>
/// <remarks>
/// Accepts what libzstd's streaming decoder does, except for data that the format calls corrupt and libzstd takes, or not,
/// as it happens: Huffman streams that hold more than their literals, and offsets beyond the window.
/// </remarks>
internal unsafe ref partial struct ZstdFrameDecoder
{
    private const uint SkippableMagic = 0x184D2A50;
    private const uint SkippableMask = 0xFFFFFFF0;
    private const int BlockHeader = 3;
    private const int Checksum = 4;

    // The smallest window that libzstd keeps.
    private const ulong MinWindow = 1 << 10;

    private readonly ZstdTables* _tables;
    private readonly byte* _inputEnd;
    private readonly byte* _outputEnd;
    private readonly ulong _maxWindow;
    private byte* _input;
    private byte* _output;

    // Of the current frame.
    private byte* _frameStart;
    private ulong _maxOffset;
    private long _maxBlock;
    private bool _isSizeKnown;
    private SequenceLogs _logs;
    private RepeatOffsets _repeats;
    private int _huffmanLog;

    // Of the current block.
    private byte* _literals;
    private byte* _literalsEnd;

    /// <summary>Prepares for frames in <paramref name="input"/>.</summary>
    /// <param name="tables">Room, of any content.</param>
    /// <param name="input">The first frame.</param>
    /// <param name="inputEnd">Its end.</param>
    /// <param name="output">Where the content goes to.</param>
    /// <param name="outputEnd">Its end.</param>
    /// <param name="maxWindow">The largest window that is taken, of frames that do not say that their content fits the output.</param>
    public ZstdFrameDecoder(ZstdTables* tables, byte* input, byte* inputEnd, byte* output, byte* outputEnd, ulong maxWindow)
    {
        _tables = tables;
        _input = input;
        _inputEnd = inputEnd;
        _output = output;
        _outputEnd = outputEnd;
        _maxWindow = maxWindow;
        for (int i = 0; i <= SequenceCodes.MaxLengthBits; i++)
        {
            tables->LowBits[i] = (1UL << i) - 1;
        }
    }

    /// <summary>Where the next byte of content goes to.</summary>
    public readonly byte* Output => _output;

    /// <summary>Decodes the next frame, or skips it if it is skippable.</summary>
    /// <returns>False if it is broken, not whole or does not fit.</returns>
    public bool TryDecodeFrame()
    {
        if (_inputEnd - _input < sizeof(uint))
        {
            return false;
        }

        uint magic = ReadUInt32(_input);
        _input += sizeof(uint);
        if ((magic & SkippableMask) == SkippableMagic)
        {
            return TrySkip();
        }

        if (magic != FrameHeader.Magic || !FrameHeader.TryRead(new ReadOnlySpan<byte>(_input, (int)(_inputEnd - _input)), out FrameHeader header))
        {
            return false;
        }

        _input += header.Length;
        bool isSizeKnown = header.ContentSize != FrameHeader.UnknownSize;
        ulong windowSize = Math.Max(header.WindowSize, MinWindow);
        if (isSizeKnown ? header.ContentSize > (ulong)(_outputEnd - _output) : windowSize > _maxWindow)
        {
            return false;
        }

        _frameStart = _output;
        _maxBlock = (long)Math.Min(header.WindowSize, ZstdTables.MaxBlock);
        _maxOffset = isSizeKnown ? ulong.MaxValue : header.WindowSize;
        _isSizeKnown = isSizeKnown;
        _logs = default;
        _repeats = RepeatOffsets.Initial;
        _huffmanLog = 0;
        return TryDecodeBlocks()
            && (!isSizeKnown || header.ContentSize == (ulong)(_output - _frameStart))
            && (!header.HasChecksum || TryCheck());
    }

    private bool TrySkip()
    {
        if (_inputEnd - _input < sizeof(uint))
        {
            return false;
        }

        uint length = ReadUInt32(_input);
        _input += sizeof(uint);
        if (_inputEnd - _input < length)
        {
            return false;
        }

        _input += length;
        return true;
    }

    private bool TryCheck()
    {
        if (_inputEnd - _input < Checksum)
        {
            return false;
        }

        uint checksum = ReadUInt32(_input);
        _input += Checksum;
        return checksum == (uint)XxHash64.Compute(new ReadOnlySpan<byte>(_frameStart, (int)(_output - _frameStart)));
    }

    private bool TryDecodeBlocks()
    {
        bool isLast;
        do
        {
            if (_inputEnd - _input < BlockHeader)
            {
                return false;
            }

            int header = _input[0] | (_input[1] << 8) | (_input[2] << 16);
            _input += BlockHeader;
            isLast = (header & 1) != 0;
            int size = header >> 3;
            bool decoded = ((header >> 1) & 3) switch
            {
                0 => TryCopyRaw(size),
                1 => TryRepeat(size),
                2 => TryDecodeCompressed(size),
                _ => false,
            };
            if (!decoded)
            {
                return false;
            }
        }
        while (!isLast);

        return true;
    }

    private bool TryCopyRaw(int size)
    {
        if (_inputEnd - _input < size || Room < size)
        {
            return false;
        }

        new ReadOnlySpan<byte>(_input, size).CopyTo(new Span<byte>(_output, size));
        _input += size;
        _output += size;
        return true;
    }

    private bool TryRepeat(int size)
    {
        if (_inputEnd == _input || Room < size)
        {
            return false;
        }

        new Span<byte>(_output, size).Fill(*_input);
        _input++;
        _output += size;
        return true;
    }

    private bool TryDecodeCompressed(int size)
    {
        if (_inputEnd - _input < size || size > _maxBlock)
        {
            return false;
        }

        if (size == 0)
        {
            // libzstd's way: it takes nothing for a block, unless it has the whole frame before it.
            return !_isSizeKnown;
        }

        byte* section = _input;
        _input += size;
        return TryReadLiterals(ref section, _input) && TryDecodeSequences(section, _input);
    }

    /// <summary>How much the next block may yield.</summary>
    private readonly long Room => Math.Min(_maxBlock, _outputEnd - _output);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint ReadUInt32(byte* from) =>
        BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(from, sizeof(uint)));
}
