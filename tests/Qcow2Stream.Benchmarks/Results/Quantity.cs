namespace Qcow2Stream.Benchmarks.Results;

internal enum Quantity
{
    /// <summary>Our time divided by the peer's: less is better.</summary>
    TimeRatio,

    /// <summary>Our speed divided by the peer's: more is better.</summary>
    SpeedRatio,

    /// <summary>Peak memory: less is better.</summary>
    Mebibytes,

    /// <summary>Bytes, where that is the result: less is better.</summary>
    Bytes,
}
