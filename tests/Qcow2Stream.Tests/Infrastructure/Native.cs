namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>The command line tool as a native binary.</summary>
internal static class Native
{
    private static readonly string? Named = Environment.GetEnvironmentVariable("QCOW2_NATIVE");

    /// <summary>Why it cannot be tested here, or null if it can. Null on CI as well: there a missing binary fails.</summary>
    public static string? WhyNot { get; } = Named is not null || Environment.GetEnvironmentVariable("CI") == "true"
        ? null
        : "QCOW2_NATIVE does not name the binary that 'dotnet publish src/Qcow2Stream.Cli -r' makes";

    public static string Binary => Named ?? throw new InvalidOperationException("QCOW2_NATIVE must name the native binary");
}
