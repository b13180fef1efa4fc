namespace Qcow2Stream;

/// <summary>What a check counted, as <c>qemu-img check</c> does.</summary>
public sealed record CheckSummary
{
    internal CheckSummary()
    {
    }

    /// <summary>Where the last cluster ends that is used, or counted as used, in bytes.</summary>
    public required long ImageEndOffset { get; init; }

    /// <summary>The clusters of the guest's disk.</summary>
    public required long TotalClusters { get; init; }

    /// <summary>Those of them that are stored in this image; VM state after the disk counts too.</summary>
    public required long AllocatedClusters { get; init; }

    /// <summary>Stored clusters that do not follow the one before them, or are compressed.</summary>
    public required long FragmentedClusters { get; init; }

    /// <summary>Stored clusters that are compressed.</summary>
    public required long CompressedClusters { get; init; }

    /// <summary>Findings of <see cref="CheckSeverity.Leak"/>.</summary>
    public required long Leaks { get; init; }

    /// <summary>Findings of <see cref="CheckSeverity.Corruption"/>.</summary>
    public required long Corruptions { get; init; }

    /// <summary>
    /// What could not be checked: a finding of <see cref="CheckSeverity.Error"/> counts 1, or as many as there are
    /// clusters whose refcounts could not be read.
    /// </summary>
    public required long CheckErrors { get; init; }

    /// <summary>Findings of <see cref="CheckSeverity.Warning"/>.</summary>
    public required long Warnings { get; init; }

    /// <summary>Whether everything could be checked and there is neither a leak nor a corruption.</summary>
    public bool IsClean => Leaks == 0 && Corruptions == 0 && CheckErrors == 0;
}
