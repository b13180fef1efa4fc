namespace Qcow2Stream.Crypto.Argon;

/// <summary>Fills Argon2's memory, slice by slice, the lanes side by side (RFC 9106, sections 3.2 and 3.4). It owns nothing.</summary>
/// <param name="parameters">How much, and how often.</param>
/// <param name="memory">The blocks: the columns of one lane after the other.</param>
internal sealed unsafe class Argon2Filler(Argon2Parameters parameters, Argon2Block* memory)
{
    /// <summary>The parts of each lane; where one is filled, the others' blocks can be looked at.</summary>
    public const uint Slices = 4;

    // A millisecond or so.
    private const uint BlocksBetweenLooks = 1024;

    private readonly uint _columns = parameters.Columns;
    private readonly uint _segmentLength = parameters.Columns / Slices;

    /// <summary>One block.</summary>
    public ref Argon2Block BlockAt(uint lane, uint column) => ref *At(lane, column);

    /// <summary>Fills all but the first two columns, and again in each further pass.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public void Fill(CancellationToken cancellationToken)
    {
        ParallelOptions side = new() { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken };
        for (uint pass = 0; pass < parameters.Passes; pass++)
        {
            for (uint slice = 0; slice < Slices; slice++)
            {
                if (parameters.Lanes == 1)
                {
                    FillSegment(pass, slice, 0, cancellationToken);
                }
                else
                {
                    (uint currentPass, uint currentSlice) = (pass, slice);
                    Parallel.For(0, (int)parameters.Lanes, side, lane => FillSegment(currentPass, currentSlice, (uint)lane, cancellationToken));
                }
            }
        }
    }

    /// <summary>The last column's blocks, all combined.</summary>
    public Argon2Block CombinedLastColumn()
    {
        Argon2Block combined = BlockAt(0, _columns - 1);
        for (uint lane = 1; lane < parameters.Lanes; lane++)
        {
            combined.Combine(BlockAt(lane, _columns - 1));
        }

        combined.SwapIfBigEndian();
        return combined;
    }

    private Argon2Block* At(uint lane, uint column) => memory + ((nuint)lane * _columns) + column;

    private void FillSegment(uint pass, uint slice, uint lane, CancellationToken cancellationToken)
    {
        bool isIndependent = parameters.Kind == Argon2Kind.Argon2i || (pass == 0 && slice < Slices / 2);
        Argon2Addresses addresses = new(parameters, pass, slice, lane);

        // The first two columns are there before the first pass.
        for (uint index = pass == 0 && slice == 0 ? 2u : 0; index < _segmentLength; index++)
        {
            if (index % BlocksBetweenLooks == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            uint column = (slice * _segmentLength) + index;
            Argon2Block* previous = At(lane, (column == 0 ? _columns : column) - 1);
            ulong pseudoRandom = isIndependent ? addresses[index] : (*previous)[0];
            Argon2Block* reference = Reference(pass, slice, lane, index, pseudoRandom);
            Argon2Block.Mix(previous, reference, At(lane, column), combine: pass != 0);
        }
    }

    /// <summary>The block that a number leads to, among those that are filled and not the one before.</summary>
    private Argon2Block* Reference(uint pass, uint slice, uint lane, uint index, ulong pseudoRandom)
    {
        bool isFirstSlice = pass == 0 && slice == 0;
        uint otherLane = isFirstSlice ? lane : (uint)((pseudoRandom >> 32) % parameters.Lanes);

        uint finished = pass == 0 ? slice * _segmentLength : _columns - _segmentLength;
        uint area = otherLane == lane ? finished + index - 1 : finished - (index == 0 ? 1u : 0);

        ulong lower = (uint)pseudoRandom;
        ulong distance = ((lower * lower) >> 32) * area >> 32;
        uint start = pass == 0 || slice == Slices - 1 ? 0 : (slice + 1) * _segmentLength;
        return At(otherLane, (uint)((start + (area - 1 - distance)) % _columns));
    }
}
