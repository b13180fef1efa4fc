namespace Qcow2Stream.Tests.Faults;

/// <summary>What a host file does to one of its reads.</summary>
internal enum FaultKind
{
    /// <summary>It fails, once.</summary>
    Throws,

    /// <summary>It gives half of the bytes, and from there on none, though its length says that there are more.</summary>
    EndsEarly,

    /// <summary>It gives half of the bytes, for the file has become that short.</summary>
    IsCut,
}
