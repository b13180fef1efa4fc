namespace Qcow2Stream.Info;

/// <summary>A field of a header as it stands in the file.</summary>
/// <param name="Name">The specification's name.</param>
/// <param name="Value">Its value; null if the file ends before.</param>
/// <param name="IsHexadecimal">How QEMU's script prints it.</param>
/// <param name="Bits">Of feature bits, those that are set, with their names, null where nobody names one; null for other fields.</param>
internal sealed record HeaderField(string Name, ulong? Value, bool IsHexadecimal, IReadOnlyList<(int Bit, string? Name)>? Bits = null);
