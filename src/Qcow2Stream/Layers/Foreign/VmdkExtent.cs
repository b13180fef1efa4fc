using System.Globalization;
using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>An extent, a part of a disk, as a line of a descriptor describes it ("Virtual Disk Format", the extent description).</summary>
/// <param name="Sectors">Its size, in sectors.</param>
/// <param name="Type">Of what kind it is, by the word of the line.</param>
/// <param name="Name">The name of its file.</param>
/// <param name="Offset">The sector of the file that it starts at.</param>
internal sealed record VmdkExtent(long Sectors, string Type, string Name, long Offset)
{
    /// <summary>The most sectors whose bytes can be counted.</summary>
    public const long MaxSectors = long.MaxValue / Sector.Size;

    private const string Zero = "ZERO";
    private const string ServerSparse = "VMFSSPARSE";

    private static readonly string[] Accesses = ["RW", "RDONLY", "NOACCESS"];
    private static readonly string[] Types = ["FLAT", "SPARSE", Zero, "VMFS", ServerSparse, "VMFSRDM", "VMFSRAW", "SESPARSE", "VSANSPARSE"];

    /// <summary>Whether it has a header and tables.</summary>
    public bool IsSparse => Type is "SPARSE" or ServerSparse;

    /// <summary>Whether its header and tables are those of a server (ESX).</summary>
    public bool IsServers => Type == ServerSparse;

    /// <summary>Whether its file has its bytes as they are.</summary>
    public bool IsFlat => Type is "FLAT" or "VMFS";

    /// <summary>Whether it is zeros, and its file is never opened.</summary>
    public bool IsZero => Type == Zero;

    /// <summary>Whether DiscUtils takes a line for an extent, and for nothing else.</summary>
    public static bool IsLine(string line) => Accesses.Any(access => line.StartsWith(access, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads a line as DiscUtils does.</summary>
    /// <returns>Null for one that DiscUtils refuses.</returns>
    public static VmdkExtent? Parse(string line) =>
        Words(line) is [var access, var size, var type, var name, .. var rest]
            && Accesses.Contains(access, StringComparer.Ordinal)
            && Types.Contains(type, StringComparer.Ordinal)
            && TryParse(size, out long sectors)
            && TryParse(rest is [var start, ..] ? start : "0", out long offset)
                ? new VmdkExtent(sectors, type, name.Trim('"'), offset)
                : null;

    private static bool TryParse(string word, out long number) => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>Between spaces, or quotes; none if a quote is left open.</summary>
    private static List<string> Words(string line)
    {
        List<string> words = [];
        for (int at = 0; at < line.Length; at++)
        {
            if (line[at] == ' ')
            {
                continue;
            }

            bool isQuoted = line[at] == '"';
            int end = line.IndexOf(isQuoted ? '"' : ' ', at + 1);
            if (isQuoted && end < 0)
            {
                return [];
            }

            end = isQuoted ? end + 1 : end < 0 ? line.Length : end;
            words.Add(line[at..end]);
            at = isQuoted ? end - 1 : end;
        }

        return words;
    }
}
