namespace Qcow2Stream.Crypto.Luks;

/// <summary>
/// The key slots of a LUKS2 volume that hold the key of its segment: a digest names both (LUKS2 On-Disk Format Specification, sections 3.2 and 3.4).
/// Immutable.
/// </summary>
internal sealed class Luks2KeySlots
{
    // The highest is asked first, the lowest only where no other slot opens.
    private const uint NormalPriority = 1;
    private const uint MostPriority = 2;

    /// <summary>Reads the key slots and digests of a volume.</summary>
    /// <param name="root">All metadata.</param>
    /// <param name="segment">The number of the segment.</param>
    /// <param name="most">How many key slots, and how many digests, there may be.</param>
    /// <param name="parser">Reads one slot.</param>
    /// <exception cref="CryptoFormatException">The metadata are broken.</exception>
    /// <exception cref="CryptoUnsupportedException">A digest of the segment is of a kind that isn't known.</exception>
    public Luks2KeySlots(Luks2Node root, int segment, int most, Luks2KeySlotParser parser)
    {
        SortedDictionary<int, Luks2Node> slots = root["keyslots"].Members(most);
        List<(uint Priority, LuksKeySlot Slot)> openings = [];
        List<CryptoUnsupportedException> unhandled = [];
        bool isCovered = false;
        foreach (Luks2Node digestNode in root["digests"].Members(most).Values.Where(digest => digest["segments"].Texts.Contains($"{segment}")))
        {
            isCovered = true;
            LuksDigest digest = Luks2KeySlotParser.ReadDigest(digestNode);
            foreach (string name in digestNode["keyslots"].Texts.Distinct())
            {
                if (!int.TryParse(name, out int index) || !slots.Remove(index, out Luks2Node slot))
                {
                    throw new CryptoFormatException($"{digestNode.Path}.keyslots names a key slot that is not there, or that another digest names");
                }

                uint keyLength = ReadKeyLength(slot);
                if ((KeyLength ??= keyLength) != keyLength)
                {
                    throw new CryptoFormatException($"{slot.Path}.key_size is {keyLength}, and that of another key slot {KeyLength}; they hold the same key");
                }

                try
                {
                    openings.Add((ReadPriority(slot), parser.Read(index, slot, (int)keyLength, digest)));
                }
                catch (CryptoUnsupportedException e)
                {
                    unhandled.Add(e);
                }
            }
        }

        Openings = isCovered
            ? [.. openings.OrderByDescending(slot => slot.Priority).ThenBy(slot => slot.Slot.Index).Select(slot => slot.Slot)]
            : throw new CryptoFormatException($"no digest covers segment {segment}");
        Unhandled = unhandled;
    }

    /// <summary>The length of the volume's key, in bytes; null if no slot holds it.</summary>
    public uint? KeyLength { get; }

    /// <summary>How to open each, in the order in which to try them.</summary>
    public IReadOnlyList<LuksKeySlot> Openings { get; }

    /// <summary>What others ask for, and isn't handled here.</summary>
    public IReadOnlyList<CryptoUnsupportedException> Unhandled { get; }

    /// <summary>What is no length of a key of the segment's cipher is found later; this bounds the key material at 2 MB.</summary>
    private static uint ReadKeyLength(Luks2Node slot)
    {
        const uint Most = 512;
        Luks2Node node = slot["key_size"];
        return node.Number is > 0 and <= Most ? node.Number : throw node.Wrong($"from 1 to {Most}");
    }

    private static uint ReadPriority(Luks2Node slot)
    {
        if (!slot.TryGet("priority", out Luks2Node? priority))
        {
            return NormalPriority;
        }

        return priority.Value.Number <= MostPriority ? priority.Value.Number : throw priority.Value.Wrong($"from 0 to {MostPriority}");
    }
}
