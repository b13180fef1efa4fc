using Qcow2Stream.Layers;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>Turns runs into what callers see of them.</summary>
internal static class ExtentDescription
{
    /// <summary>A run of a chain, with what only the chain knows: the file, and whether that holds ciphertext.</summary>
    public static MapExtent Of(OpenChain chain, in HostRun run) => new()
    {
        Start = run.GuestOffset,
        Length = run.Length,
        Kind = (MapKind)run.Kind,
        Depth = run.Depth,
        HostOffset = run.HasHostOffset ? run.HostOffset : null,
        HostLength = run.HostLength,
        HostPath = run.HasHostOffset ? chain.Layers[run.Depth].ClusterFile.Path : null,
        IsEncrypted = run.HasHostOffset && run.Kind != RunKind.Compressed && chain.Layers[run.Depth].IsEncrypted,
        OffsetInCluster = run.OffsetInCluster,
    };
}
