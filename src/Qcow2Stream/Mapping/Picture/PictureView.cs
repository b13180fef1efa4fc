using Qcow2Stream.Layers;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping.Picture;

/// <summary>What a picture distinguishes: layers, data, compressed data, zeros and nothing; not where they are in files.</summary>
internal readonly struct PictureView : IRunView
{
    public static HostRun Of(OpenChain chain, in HostRun run) => new()
    {
        Kind = run.Kind == RunKind.Hole ? RunKind.Zero : run.Kind,
        Depth = run.IsZero ? 0 : run.Depth,
        GuestOffset = run.GuestOffset,
        Length = run.Length,
    };
}
