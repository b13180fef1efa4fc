namespace Qcow2Stream.Translation;

/// <summary>
/// The answer to the one question: where do the guest's bytes from <see cref="GuestOffset"/> on live, and for how
/// long does that hold?
/// </summary>
internal readonly record struct HostRun : IMergeable<HostRun>
{
    /// <summary>The <see cref="HostOffset"/> of a run that is nowhere in the host file.</summary>
    public const long Nowhere = -1;

    public HostRun()
    {
    }

    public required RunKind Kind { get; init; }

    /// <summary>The layer that answered: 0 is the top file.</summary>
    public int Depth { get; init; }

    public required long GuestOffset { get; init; }

    /// <summary>In guest bytes; at least 1.</summary>
    public required long Length { get; init; }

    /// <summary>
    /// Where the first byte is in the layer's file. For <see cref="RunKind.Compressed"/> where the compressed
    /// cluster starts; for <see cref="RunKind.Zero"/> the cluster kept in reserve, if there is one.
    /// </summary>
    public long HostOffset { get; init; } = Nowhere;

    /// <summary>How many bytes of the file hold the run: for a compressed cluster, all of that cluster's.</summary>
    public long HostLength { get; init; }

    /// <summary>For a compressed cluster, where the run starts in the decompressed cluster, in bytes; otherwise 0.</summary>
    public int OffsetInCluster { get; init; }

    /// <summary>The run lies past the end of its file, which lenient mode has reported: it reads as zeros.</summary>
    public bool IsPastEnd { get; init; }

    public bool HasHostOffset => HostOffset != Nowhere;

    /// <summary>Whether it is known to read as zeros, no matter how.</summary>
    public bool IsZero => Kind is RunKind.Zero or RunKind.Unallocated or RunKind.Hole;

    public long GuestEnd => GuestOffset + Length;

    public static HostRun Unallocated(long guestOffset, long length) =>
        new() { Kind = RunKind.Unallocated, GuestOffset = guestOffset, Length = length };

    bool IMergeable<HostRun>.IsEmpty => Length == 0;

    /// <summary>
    /// The one rule by which neighbouring runs become one: of one kind, from one layer, and in the file too, if they are in one.
    /// Parts of a compressed cluster are contiguous inside the decompressed cluster.
    /// </summary>
    public static bool TryExtend(ref HostRun item, in HostRun next)
    {
        if (item.GuestEnd != next.GuestOffset || item.Kind != next.Kind || item.Depth != next.Depth
            || item.HasHostOffset != next.HasHostOffset)
        {
            return false;
        }

        bool isOneCluster = item.Kind == RunKind.Compressed;
        if (item.HasHostOffset)
        {
            bool continues = isOneCluster
                ? item.HostOffset == next.HostOffset
                    && item.HostLength == next.HostLength
                    && item.OffsetInCluster + item.Length == next.OffsetInCluster
                : item.HostOffset + item.Length == next.HostOffset;
            if (!continues)
            {
                return false;
            }
        }

        item = item with
        {
            Length = item.Length + next.Length,
            HostLength = isOneCluster ? item.HostLength : item.HostLength + next.HostLength,
        };
        return true;
    }
}
