using Qcow2Stream.Layers;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>A view that is written with one entry per run.</summary>
internal interface IMapForm : IRunView
{
    static abstract void WriteEntry(Utf8Output text, in HostRun run, bool isFirst);
}
