namespace Qcow2Stream.Translation;

/// <summary>Runs in the order of the disk, one after another.</summary>
internal interface IRunSource
{
    /// <summary>The next run; false behind the last.</summary>
    /// <exception cref="Qcow2Exception">There is one, and it can't be told.</exception>
    bool TryNext(out HostRun run);
}
