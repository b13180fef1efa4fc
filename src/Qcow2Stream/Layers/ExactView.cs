using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>Every run as it was found.</summary>
internal readonly struct ExactView : IRunView
{
    public static HostRun Of(OpenChain chain, in HostRun run) => run;
}
