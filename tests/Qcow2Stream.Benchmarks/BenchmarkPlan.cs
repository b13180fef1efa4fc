using Qcow2Stream.Benchmarks.Images;

namespace Qcow2Stream.Benchmarks;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchmarkPlan
{
    /// <summary>Small images and few runs.</summary>
    public bool Quick { get; init; }

    /// <summary>Only rows whose name contains this.</summary>
    public string? Only { get; init; }

    /// <summary>How often each pair of commands runs.</summary>
    public required int Runs { get; init; }

    public required string WorkDirectory { get; init; }

    /// <summary>Where the table goes besides standard output.</summary>
    public string? MarkdownFile { get; init; }

    public required bool Commands { get; init; }

    public required bool InProcess { get; init; }

    public ImageSizes Sizes => Quick ? ImageSizes.Quick : ImageSizes.Full;

    public bool Includes(string name) => Only is null || name.Contains(Only, StringComparison.OrdinalIgnoreCase);
}
