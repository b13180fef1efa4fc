using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>A view of the map: what it does not tell apart is equal, and so merges.</summary>
internal interface IMapView
{
    /// <summary>A run as the view has it: of the same range.</summary>
    static abstract HostRun Of(Qcow2Chain chain, in HostRun run);
}
