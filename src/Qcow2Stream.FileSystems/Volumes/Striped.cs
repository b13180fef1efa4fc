namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>Chunks that go round several members.</summary>
/// <param name="members">The members, of one length.</param>
/// <param name="chunk">The length of a chunk in bytes.</param>
/// <param name="firstMember">Which of them has the first chunk.</param>
internal sealed class Striped(IReadOnlyList<IBlockSource> members, long chunk, int firstMember = 0)
    : MappedVolume(members[0].Length / chunk * chunk * members.Count)
{
    protected override Placement Locate(long offset)
    {
        (long number, long inChunk) = Math.DivRem(offset, chunk);
        (long row, long member) = Math.DivRem(number, members.Count);
        return new Placement(members[(int)((member + firstMember) % members.Count)], (row * chunk) + inChunk, chunk - inChunk);
    }
}
