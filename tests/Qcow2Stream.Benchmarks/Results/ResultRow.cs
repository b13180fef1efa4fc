namespace Qcow2Stream.Benchmarks.Results;

/// <summary>One line of the table.</summary>
internal sealed record ResultRow
{
    public required string Name { get; init; }

    /// <summary>What ours is compared with.</summary>
    public required string Peer { get; init; }

    /// <summary>The peer's median.</summary>
    public string PeerMedian { get; init; } = "—";

    /// <summary>Our median.</summary>
    public string Ours { get; init; } = "—";

    public required Target Target { get; init; }

    /// <summary>What <see cref="Target"/> is about; null if it could not be measured.</summary>
    public double? Value { get; init; }

    /// <summary>Why there is no value.</summary>
    public string? WhyNot { get; init; }

    public string Verdict => (Value, Target.Limit) switch
    {
        (null, _) => WhyNot ?? "—",
        (_, null) => "—",
        ({ } value, _) => Target.IsMetBy(value) ? "met" : "NOT met",
    };

    public string Ratio => Value is { } value ? Target.Format(value) : "—";
}
