namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>Parts of members.</summary>
internal static class Parts
{
    /// <summary>A part that is as long as asked for: what lies past the member's end can't be read, and shifts nothing.</summary>
    public static IBlockSource Take(this IBlockSource member, long start, long length)
    {
        IBlockSource part = member.Slice(start, length);
        return part.Length == length
            ? part
            : new Concatenation([part, new Missing(length - part.Length, $"it lies past the end of what it is on, which has {member.Length} bytes")]);
    }
}
