using System.Globalization;
using System.Text;
using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>An extent, a part of a disk, as a line of a descriptor describes it ("Virtual Disk Format", the extent description).</summary>
/// <param name="Access">How it may be accessed, by the word of the line.</param>
/// <param name="Sectors">Its size, in sectors.</param>
/// <param name="Type">Of what kind it is, by the word of the line.</param>
/// <param name="Name">The name of its file, each byte a character; empty if it has none.</param>
/// <param name="Offset">The sector of the file that it starts at.</param>
internal sealed record ExtentLine(string Access, long Sectors, string Type, string Name, long Offset)
{
    /// <summary>The most sectors whose bytes can be counted.</summary>
    public const long MaxSectors = long.MaxValue / Sector.Size;

    private const string Zero = "ZERO";
    private const string ServerSparse = "VMFSSPARSE";
    private const string SpaceEfficient = "SESPARSE";
    private const string NoAccess = "NOACCESS";
    private const char Quote = '"';
    private const string NoName = "\"\"";

    private static readonly string[] Accesses = ["RW", "RDONLY", NoAccess];
    private static readonly string[] Types = ["FLAT", "SPARSE", Zero, "VMFS", ServerSparse, "VMFSRDM", "VMFSRAW", SpaceEfficient, "VSANSPARSE"];

    /// <summary>Whether it has a header and tables.</summary>
    public bool IsSparse => Type is "SPARSE" or ServerSparse or SpaceEfficient;

    /// <summary>Whether its header and tables are those of a server (ESX).</summary>
    public bool IsServers => Type == ServerSparse;

    /// <summary>Whether it is one of the newer sparse extents of a server.</summary>
    public bool IsSpaceEfficient => Type == SpaceEfficient;

    /// <summary>Whether its file has its bytes as they are.</summary>
    public bool IsFlat => Type is "FLAT" or "VMFS";

    /// <summary>Whether it is zeros, and its file, if it names one, is never opened.</summary>
    public bool IsZero => Type == Zero;

    /// <summary>Whether it is of a kind that is read here.</summary>
    public bool IsHandled => IsZero || (Access != NoAccess && (IsSparse || IsFlat));

    /// <summary>The name of its file, as the descriptor has it.</summary>
    public byte[] NameBytes => Encoding.Latin1.GetBytes(Name);

    /// <summary>Whether a line is that of an extent, and of nothing else.</summary>
    public static bool IsLine(ReadOnlySpan<char> line)
    {
        int end = line.IndexOfAny(VmdkDescriptor.Blanks);
        string word = line[..(end < 0 ? line.Length : end)].ToString();
        return Accesses.Contains(word, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Reads a line of which <see cref="IsLine"/> holds.</summary>
    /// <returns>Null if it isn't one by the specification.</returns>
    public static ExtentLine? Parse(string line) =>
        Words(line) is [var access, var size, var type, .. var file]
            && Accesses.Contains(access, StringComparer.Ordinal)
            && Types.Contains(type, StringComparer.Ordinal)
            && TryParse(size, out long sectors)
            && TryParse(file is [_, var start, ..] ? start : "0", out long offset)
            && TryUnquote(file is [var quoted, ..] ? quoted : type == Zero ? NoName : "", out string name)
                ? new ExtentLine(access, sectors, type, name, offset)
                : null;

    private static bool TryParse(string word, out long number) => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static bool TryUnquote(string word, out string name)
    {
        bool isQuoted = word.Length >= 2 && word[0] == Quote && word[^1] == Quote;
        name = isQuoted ? word[1..^1] : "";
        return isQuoted;
    }

    /// <summary>Between blanks, or quotes, which stay; none if a quote is left open.</summary>
    private static List<string> Words(string line)
    {
        List<string> words = [];
        for (int at = 0; at < line.Length;)
        {
            if (VmdkDescriptor.Blanks.Contains(line[at]))
            {
                at++;
                continue;
            }

            int end;
            if (line[at] == Quote)
            {
                end = line.IndexOf(Quote, at + 1) + 1;
                if (end == 0)
                {
                    return [];
                }
            }
            else
            {
                end = line.AsSpan(at).IndexOfAny(VmdkDescriptor.Blanks) is var length and >= 0 ? at + length : line.Length;
            }

            words.Add(line[at..end]);
            at = end;
        }

        return words;
    }
}
