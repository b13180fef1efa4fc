namespace Qcow2Stream;

/// <summary>How far an inspection has come: see <see cref="ImageInspection"/>.</summary>
public enum InspectionStage
{
    /// <summary>The file as its host has it.</summary>
    File,

    /// <summary>The header as it is in the file.</summary>
    Header,

    /// <summary>The image opened by itself, whatever it names.</summary>
    Image,

    /// <summary>The image opened with its backing chain.</summary>
    Chain,

    /// <summary>A walk over the tables of the chain, as leniently as possible.</summary>
    Map,
}
