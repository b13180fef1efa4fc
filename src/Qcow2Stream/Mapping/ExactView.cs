using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>Every run as it was found.</summary>
internal readonly struct ExactView : IMapView
{
    public static HostRun Of(Qcow2Chain chain, in HostRun run) => run;
}
