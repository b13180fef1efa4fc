namespace Qcow2Stream.Crypto.Argon;

/// <summary>What an Argon2 key slot asks for (RFC 9106, section 3.1).</summary>
/// <param name="Kind">The variant.</param>
/// <param name="Passes">Over the memory; 1 or more.</param>
/// <param name="MemoryKiB">The memory, in KiB; at least 8 for each lane.</param>
/// <param name="Lanes">That can be filled at the same time; from 1 to <see cref="MaxLanes"/>.</param>
internal readonly record struct Argon2Parameters(Argon2Kind Kind, uint Passes, uint MemoryKiB, uint Lanes)
{
    /// <summary>The most lanes.</summary>
    public const uint MaxLanes = 0xFFFFFF;

    /// <summary>The least memory for each lane, in KiB: two blocks in each of its four slices.</summary>
    public const uint MinMemoryPerLane = 8;

    /// <summary>The columns of a lane, each one block.</summary>
    public uint Columns => MemoryKiB / (Lanes * Argon2Filler.Slices) * Argon2Filler.Slices;

    /// <summary>The memory that is used, in bytes: whole columns.</summary>
    public long MemoryBytes => (long)Columns * Lanes * Argon2Block.Length;

    /// <summary>How many blocks are computed over all passes.</summary>
    public Int128 Blocks => (Int128)Passes * Columns * Lanes;
}
