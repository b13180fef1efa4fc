namespace Qcow2Stream.FileSystems;

/// <summary>What a copy did.</summary>
public sealed record GuestCopyResult
{
    /// <summary>How many files were copied, each whole.</summary>
    public int Files { get; init; }

    /// <summary>How many directories were made.</summary>
    public int Directories { get; init; }

    /// <summary>How many symbolic links were made.</summary>
    public int Links { get; init; }

    /// <summary>How many devices, pipes and sockets were met, which are not copied.</summary>
    public int SpecialFiles { get; init; }

    /// <summary>How many bytes of files' content were read, those of files that could not be finished among them.</summary>
    public long Bytes { get; init; }

    /// <summary>How many times <see cref="GuestCopyOptions.OnFault"/> was told something.</summary>
    public int Faults { get; init; }
}
