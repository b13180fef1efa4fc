using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>A view of the runs of a disk: what it doesn't distinguish is equal, and so merges.</summary>
internal interface IRunView
{
    /// <summary>A run as the view has it: of the same range.</summary>
    static abstract HostRun Of(OpenChain chain, in HostRun run);
}
