using System.Text.Json.Nodes;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>Maps of several programs in one form: a line START LENGTH STATUS an extent, neighbours of one status merged.</summary>
internal static class StatusMap
{
    private const int HoleAndZero = 3;

    /// <summary>What nbdinfo says of a context.</summary>
    /// <param name="context">The context's name.</param>
    /// <param name="server">Its address, or how libnbd is to start it.</param>
    public static async Task<string> OfServer(string context, params string[] server) => Merged(
        JsonNode.Parse(await NbdTools.Run("nbdinfo", ["--json", $"--map={context}", .. server]))!.AsArray()
            .Select(e => ((long)e!["offset"]!, (long)e["length"]!, (int)e["type"]!)));

    /// <summary>What qemu-img says of a file, as base:allocation has it.</summary>
    public static async Task<string> OfFile(params string[] image) => Merged(
        JsonNode.Parse(await NbdTools.Run("qemu-img", ["map", "--output=json", .. image]))!.AsArray()
            .Where(e => (long)e!["length"]! > 0)
            .Select(e => ((long)e!["start"]!, (long)e["length"]!, (bool)e["data"]! ? 0 : HoleAndZero)));

    /// <summary>Leaves out what lies past the end of a disk.</summary>
    public static string Cut(string map, long end) => Merged(map.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(' ').Select(long.Parse).ToArray())
        .Where(e => e[0] < end)
        .Select(e => (e[0], Math.Min(e[1], end - e[0]), (int)e[2])));

    private static string Merged(IEnumerable<(long Start, long Length, int Status)> extents)
    {
        List<(long Start, long Length, int Status)> merged = [];
        foreach ((long start, long length, int status) in extents)
        {
            if (merged is [.., var last] && last.Status == status)
            {
                Assert.Equal(last.Start + last.Length, start);
                merged[^1] = last with { Length = last.Length + length };
            }
            else
            {
                merged.Add((start, length, status));
            }
        }

        return string.Concat(merged.Select(e => $"{e.Start} {e.Length} {e.Status}\n"));
    }
}
