namespace Qcow2Stream;

/// <summary>Something that an inspection found out, or could not find out: see <see cref="ImageInspection"/>.</summary>
public sealed record InspectionStep
{
    internal InspectionStep()
    {
    }

    /// <summary>What was looked at.</summary>
    public required InspectionStage Stage { get; init; }

    /// <summary>A line of text, safe for a terminal.</summary>
    public required string Text { get; init; }

    /// <summary>The spot that is damaged, if the step reports one.</summary>
    public ImageDamage? Damage { get; init; }

    /// <summary>Why the stage ends here, if it does; the next stage is still tried.</summary>
    public Qcow2Exception? Error { get; init; }
}
