using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>A view of the map: what it does not tell apart is equal, and so merges.</summary>
internal interface IMapView
{
    /// <summary>A run as the view has it: of the same range.</summary>
    static abstract HostRun Of(Qcow2Chain chain, in HostRun run);
}

/// <summary>A view that is written an entry a run.</summary>
internal interface IMapForm : IMapView
{
    static abstract void WriteEntry(Utf8Output text, in HostRun run, bool isFirst);
}
