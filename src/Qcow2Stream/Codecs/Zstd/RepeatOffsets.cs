namespace Qcow2Stream.Codecs.Zstd;

/// <summary>The three offsets used last, in bytes (RFC 8878, section 3.1.1.5).</summary>
/// <param name="first">The most recent one.</param>
/// <param name="second">The one before.</param>
/// <param name="third">The one before that.</param>
internal struct RepeatOffsets(nuint first, nuint second, nuint third)
{
    /// <summary>What a frame starts with.</summary>
    public static RepeatOffsets Initial => new(1, 4, 8);

    public nuint First { get; private set; } = first;

    public nuint Second { get; private set; } = second;

    public nuint Third { get; private set; } = third;

    /// <summary>The offset that a sequence means, which is then the most recent one.</summary>
    /// <param name="value">As the sequence has it.</param>
    /// <param name="isWithoutLiterals">If so, the most recent offset is not meant: a match would just have been longer.</param>
    /// <returns>0 if there is no such offset.</returns>
    public nuint Use(ulong value, bool isWithoutLiterals)
    {
        if (value > 3)
        {
            (First, Second, Third) = ((nuint)value - 3, First, Second);
            return First;
        }

        switch (value + (isWithoutLiterals ? 1UL : 0))
        {
            case 1:
                break;
            case 2:
                (First, Second) = (Second, First);
                break;
            case 3:
                (First, Second, Third) = (Third, First, Second);
                break;
            default:
                (First, Second, Third) = (First - 1, First, Second);
                break;
        }

        return First;
    }
}
