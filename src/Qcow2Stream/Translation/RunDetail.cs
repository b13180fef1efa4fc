namespace Qcow2Stream.Translation;

/// <summary>How far a translation looks.</summary>
internal enum RunDetail : byte
{
    /// <summary>At the images' metadata alone: a raw file is data from end to end.</summary>
    Metadata,

    /// <summary>Also at the holes that the host's file system knows in raw files.</summary>
    HostHoles,
}
