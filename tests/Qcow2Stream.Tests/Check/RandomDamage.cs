using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Check;

/// <summary>One to three random, reproducible kinds of damage to an image's tables.</summary>
internal sealed class RandomDamage(byte[] image, int seed)
{
    private readonly Random _random = new(seed);
    private readonly TableWords _tables = new(image);
    private readonly List<string> _done = [];

    /// <summary>Damages the image, which may become shorter or longer.</summary>
    /// <returns>The image, and what was done to it.</returns>
    public (byte[] Image, string Description) Apply()
    {
        byte[] damaged = [.. image];
        for (int i = _random.Next(1, 4); i > 0; i--)
        {
            damaged = Once(damaged);
        }

        return (damaged, $"seed {seed}: {string.Join(", ", _done)}");
    }

    private byte[] Once(byte[] damaged)
    {
        int kind = _random.Next(20);
        switch (kind)
        {
            case 0:
                _done.Add("shortened");
                return damaged[..(int)Math.Max(damaged.Length - _random.Next(4 * _tables.ClusterSize), Math.Min(damaged.Length, 2 * _tables.ClusterSize))];
            case 1:
                _done.Add("lengthened");
                return [.. damaged, .. new byte[_random.Next(3 * _tables.ClusterSize)]];
            case < 8:
                return Refcount(damaged);
            case < 11:
                return Word(damaged, Pick(_tables.Pointers));
            default:
                return Word(damaged, Pick(_tables.L2Entries) + (kind == 19 && _tables.EntryWords == 2 ? 8 : 0));
        }
    }

    private byte[] Refcount(byte[] damaged)
    {
        // Most clusters in use have their refcounts at the start of the first block.
        long block = Pick(_tables.RefcountBlocks);
        long position = block + _random.Next(_random.Next(2) == 0 ? 64 : _tables.ClusterSize);
        return position < damaged.Length ? Done(damaged.WriteU8(position, (byte)_random.Next(4)), "refcount", position) : damaged;
    }

    private byte[] Word(byte[] damaged, long position)
    {
        if (position < 0 || position + 8 > damaged.Length)
        {
            return damaged;
        }

        ulong value = damaged.ReadU64(position);
        ulong other = _tables.L2Entries.Count > 0 ? image.ReadU64(Pick(_tables.L2Entries)) : 0;
        ulong changed = _random.Next(9) switch
        {
            0 => 0,
            1 => value ^ (1UL << 63),
            2 => value ^ (1UL << 62),
            3 => value ^ (1UL << _random.Next(64)),
            4 => other,
            5 => value + (ulong)_tables.ClusterSize,
            6 => (value & (1UL << 63)) | (ulong)((uint)_random.Next(image.Length / _tables.ClusterSize) * (uint)_tables.ClusterSize),
            7 => value | ((ulong)_random.Next(1 << 20) << 32),
            _ => value ^ 1,
        };
        return Done(damaged.WriteU64(position, changed), $"{value:x} -> {changed:x}", position);
    }

    private byte[] Done(byte[] damaged, string what, long position)
    {
        _done.Add($"{what} at {position}");
        return damaged;
    }

    private long Pick(List<long> from) => from.Count == 0 ? -8 : from[_random.Next(from.Count)];
}
