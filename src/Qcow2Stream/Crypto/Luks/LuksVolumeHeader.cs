namespace Qcow2Stream.Crypto.Luks;

/// <summary>What the header of a LUKS volume says, whatever its version. Immutable.</summary>
internal sealed class LuksVolumeHeader
{
    /// <summary>1 or 2.</summary>
    public required int Version { get; init; }

    /// <summary>The UUID, as the header has it: unchecked, to be escaped before it is shown.</summary>
    public required string Uuid { get; init; }

    /// <summary>The label, likewise; empty for none, as always in version 1.</summary>
    public required string Label { get; init; }

    /// <summary>The data; null if no key slot has a key for it.</summary>
    public required LuksSegment? Segment { get; init; }

    /// <summary>The key slots that can be opened, in the order in which to try them.</summary>
    public required IReadOnlyList<LuksKeySlot> Slots { get; init; }

    /// <summary>What other key slots ask for, and isn't handled here.</summary>
    public required IReadOnlyList<CryptoUnsupportedException> Unhandled { get; init; }

    /// <summary>The same, for a header of version 1.</summary>
    public static LuksVolumeHeader Of(Luks1Header header) => new()
    {
        Version = 1,
        Uuid = header.Uuid,
        Label = "",
        Segment = new LuksSegment(header.PayloadOffset, null, 0, SectorDecryptor.Unit, header.Cipher),
        Slots = [.. header.Slots.Where(slot => slot.Active).Select(header.OpeningOf)],
        Unhandled = [],
    };
}
