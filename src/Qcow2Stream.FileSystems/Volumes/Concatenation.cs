namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>Sources one behind the other.</summary>
internal sealed class Concatenation : MappedVolume
{
    private readonly IBlockSource[] _parts;
    private readonly long[] _starts;

    /// <param name="parts">The sources, each as long as it counts here.</param>
    public Concatenation(IEnumerable<IBlockSource> parts)
        : this([.. parts.Where(part => part.Length > 0)])
    {
    }

    private Concatenation(IBlockSource[] parts)
        : base(parts.Sum(part => part.Length))
    {
        _parts = parts;
        _starts = new long[parts.Length];
        for (int i = 1; i < parts.Length; i++)
        {
            _starts[i] = _starts[i - 1] + parts[i - 1].Length;
        }
    }

    protected override Placement Locate(long offset)
    {
        int found = Array.BinarySearch(_starts, offset);
        int index = found < 0 ? ~found - 1 : found;
        return new Placement(_parts[index], offset - _starts[index], _starts[index] + _parts[index].Length - offset);
    }
}
