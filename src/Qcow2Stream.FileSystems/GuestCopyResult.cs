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

    /// <summary>How many devices, pipes and sockets were found; they are not copied.</summary>
    public int SpecialFiles { get; init; }

    /// <summary>How many bytes of files' content were read, including those of files that could not be finished.</summary>
    public long Bytes { get; init; }

    /// <summary>How many times <see cref="GuestCopyOptions.OnFault"/> was called.</summary>
    public int Faults { get; init; }
}
