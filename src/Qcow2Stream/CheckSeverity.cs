namespace Qcow2Stream;

/// <summary>How much a finding of a check matters.</summary>
public enum CheckSeverity
{
    /// <summary>Something to know that <c>qemu-img check</c> does not count.</summary>
    Warning,

    /// <summary>A cluster is counted as used and nothing uses it: wasted space, no harm to data.</summary>
    Leak,

    /// <summary>Something is wrong: data may be damaged already, or will be by the next write.</summary>
    Corruption,

    /// <summary>A part of the image could not be checked.</summary>
    Error,
}
