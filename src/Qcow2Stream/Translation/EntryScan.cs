using System.Numerics;
using System.Runtime.InteropServices;

namespace Qcow2Stream.Translation;

/// <summary>The one pass over table entries: how far does the pattern of the first entry run on?</summary>
internal static class EntryScan
{
    /// <summary>
    /// Counts the entries, from the start, for which (entry &amp; <paramref name="mask"/>) is
    /// <paramref name="first"/>, then <paramref name="first"/> + <paramref name="step"/>, and so on.
    /// </summary>
    /// <remarks>A step of one cluster finds contiguous clusters, a step of 0 finds repeated entries.</remarks>
    public static int CountRun(ReadOnlySpan<ulong> entries, ulong mask, ulong first, ulong step)
    {
        int count = 0;
        ReadOnlySpan<Vector<ulong>> vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(entries);
        Vector<ulong> masks = new(mask);
        Vector<ulong> expected = new Vector<ulong>(first) + (Vector<ulong>.Indices * step);
        Vector<ulong> stride = new(step * (ulong)Vector<ulong>.Count);
        foreach (Vector<ulong> vector in vectors)
        {
            if ((vector & masks) != expected)
            {
                break;
            }

            expected += stride;
            count += Vector<ulong>.Count;
        }

        // The rest, and the vector that held the end of the run.
        while (count < entries.Length && (entries[count] & mask) == first + (step * (ulong)count))
        {
            count++;
        }

        return count;
    }
}
