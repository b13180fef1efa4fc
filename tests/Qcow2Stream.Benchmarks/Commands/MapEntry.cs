using System.Text.Json;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>What every version of QEMU prints of an extent; <c>compressed</c> came later.</summary>
internal sealed record MapEntry(long Start, long Length, int Depth, bool Present, bool Zero, bool Data, long? Offset)
{
    private static readonly JsonSerializerOptions LowerCase = new(JsonSerializerDefaults.Web);

    /// <summary>
    /// The entry as the tables alone have it. Where QEMU takes an image for preallocated it asks the host file as well, and
    /// calls zero what is allocated there without being written.
    /// </summary>
    public MapEntry WithoutHostHoles => this with { Zero = Zero && !Data };

    public static MapEntry[] Parse(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize<MapEntry[]>(json, LowerCase)!;
}
