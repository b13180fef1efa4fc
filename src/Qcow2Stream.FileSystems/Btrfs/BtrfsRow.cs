using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A part of a row of stripes with parity, for computing what can't be read of it from the rest. The rest is read once.</summary>
internal sealed class BtrfsRow
{
    private readonly BtrfsChunk _chunk;
    private readonly ulong _row;
    private readonly int _wanted;

    // By column; null for what is wanted, and what is not there.
    private readonly byte[]?[] _parts;
    private readonly string? _missing;
    private readonly int _length;

    /// <param name="devices">The devices.</param>
    /// <param name="chunk">The chunk.</param>
    /// <param name="address">Where the part of a stripe that is wanted starts.</param>
    /// <param name="length">How long it is, in bytes.</param>
    public BtrfsRow(BtrfsDevices devices, BtrfsChunk chunk, ulong address, int length)
    {
        (_chunk, _length) = (chunk, length);
        (_row, _wanted, int inside) = chunk.RowOf(address);
        _parts = new byte[chunk.Stripes.Length][];
        byte[]? part = null;
        for (int column = 0; column < _parts.Length; column++)
        {
            if (column != _wanted)
            {
                BtrfsStripe stripe = chunk.Stripes[chunk.SlotOf(_row, column)];
                part ??= new byte[length];
                string? fault = TryRead(devices, stripe, stripe.Offset + (_row * BtrfsChunk.StripeLength) + (ulong)inside, part);
                (_missing, _parts[column], part) = (_missing ?? fault, fault is null ? part : null, fault is null ? null : part);
            }
        }
    }

    /// <summary>How many bytes were gone through.</summary>
    public long Computed { get; private set; }

    /// <summary>Computes it.</summary>
    /// <param name="buffer">Receives it.</param>
    /// <param name="wrong">Which stripe is taken for wrong as well; null for none.</param>
    /// <returns>Null, or what is missing for that.</returns>
    public string? TryCompute(Span<byte> buffer, int? wrong)
    {
        byte[]?[] parts = [.. _parts];
        for (int column = 0; wrong is { } slot && column < parts.Length; column++)
        {
            if (_chunk.SlotOf(_row, column) == slot)
            {
                // What is not there anyway can't be wrong.
                if (parts[column] is null)
                {
                    return TooLittle;
                }

                parts[column] = null;
            }
        }

        Computed += (long)parts.Length * _length;
        byte[]?[] data = parts[.._chunk.Columns];
        if (!Parity.Recover(data, parts[_chunk.Columns], _chunk.Columns + 1 < parts.Length ? parts[_chunk.Columns + 1] : null))
        {
            return TooLittle;
        }

        data[_wanted].CopyTo(buffer);
        return null;
    }

    private string TooLittle => _missing ?? "too little of it is there to compute the rest";

    /// <summary>Where the image can't be read, the stripe isn't there.</summary>
    private static string? TryRead(BtrfsDevices devices, BtrfsStripe stripe, ulong place, byte[] part)
    {
        try
        {
            return devices.TryRead(stripe, place, part);
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }
}
