namespace Qcow2Stream.Cli;

/// <summary>What the process returns.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>The image, or a file of its chain, could not be read, what was asked for could not be written, or the time was up.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>compare found a difference; the number is that of <c>qemu-img compare</c>.</summary>
    public const int Different = 1;

    /// <summary>compare could not read an image; the number is that of <c>qemu-img compare</c>.</summary>
    public const int NotCompared = 2;

    /// <summary>Ctrl-C or kill ended the command; the number is what shells show of the former.</summary>
    public const int Interrupted = 130;

    /// <summary>check found corruptions; the number is that of <c>qemu-img check</c>.</summary>
    public const int Corruptions = 2;

    /// <summary>check found leaks and nothing worse; the number is that of <c>qemu-img check</c>.</summary>
    public const int Leaks = 3;
}
