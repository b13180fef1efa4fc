using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>What is stored, of kind <see cref="RunKind.Data"/> and wherever it is, and what is known to be zeros.</summary>
internal readonly struct StoredView : IRunView
{
    public static HostRun Of(OpenChain chain, in HostRun run) => new()
    {
        Kind = run.IsZero ? RunKind.Zero : RunKind.Data,
        GuestOffset = run.GuestOffset,
        Length = run.Length,
    };
}
