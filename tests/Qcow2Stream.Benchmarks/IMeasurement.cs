using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks;

/// <summary>Something to measure: a row of the table, or several that come of the same work.</summary>
internal interface IMeasurement
{
    /// <summary>The names of the rows.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Shows that what will be measured gives the right result.</summary>
    /// <exception cref="WrongResultException">It does not.</exception>
    void Verify();

    IEnumerable<ResultRow> Measure();
}
