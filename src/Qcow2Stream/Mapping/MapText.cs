using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>Writes runs that are listed already.</summary>
internal static class MapText
{
    /// <summary>Merges them and writes an entry each.</summary>
    /// <returns>Whether there was anything to write.</returns>
    public static bool Write<TForm>(this IEnumerable<HostRun> runs, Utf8Output text)
        where TForm : struct, IMapForm
    {
        bool isFirst = true;
        foreach (HostRun run in runs.Merge())
        {
            TForm.WriteEntry(text, run, isFirst);
            isFirst = false;
        }

        return !isFirst;
    }
}
