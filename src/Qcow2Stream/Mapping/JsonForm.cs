using Qcow2Stream.Layers;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>The entries of an array, each after what opens the array or separates it from the one before.</summary>
internal readonly struct JsonForm : IMapForm
{
    /// <summary>What can't be read as it is in the file has no place there.</summary>
    public static HostRun Of(OpenChain chain, in HostRun run) =>
        run.HasHostOffset && (run.Kind == RunKind.Compressed || chain.Layers[run.Depth].IsEncrypted)
            ? run with { HostOffset = HostRun.Nowhere }
            : run;

    /// <inheritdoc cref="Of(OpenChain, in HostRun)"/>
    public static HostRun Of(MapExtent extent)
    {
        HostRun run = extent.ToRun();
        return run.Kind == RunKind.Compressed || extent.IsEncrypted ? run with { HostOffset = HostRun.Nowhere } : run;
    }

    /// <summary>One entry; of no length, as QEMU has it for a map of nothing, it is neither data nor zeros.</summary>
    public static void WriteEntry(Utf8Output text, in HostRun run, bool isFirst)
    {
        text.Text(isFirst ? "["u8 : ",\n"u8)
            .Text("{ \"start\": "u8).Number(run.GuestOffset)
            .Text(", \"length\": "u8).Number(run.Length)
            .Text(", \"depth\": "u8).Number(run.Depth);
        if (run.Kind == RunKind.Data)
        {
            // Nearly all runs are of this kind.
            text.Text(", \"present\": true, \"zero\": false, \"data\": true, \"compressed\": false"u8);
        }
        else
        {
            text.Text(", \"present\": "u8).Boolean(run.Kind != RunKind.Unallocated)
                .Text(", \"zero\": "u8).Boolean(run.IsZero && run.Length > 0)
                .Text(", \"data\": "u8).Boolean(run.Kind == RunKind.Compressed)
                .Text(", \"compressed\": "u8).Boolean(run.Kind == RunKind.Compressed);
        }

        if (run.HasHostOffset)
        {
            text.Text(", \"offset\": "u8).Number(run.HostOffset);
        }

        text.Text("}"u8);
    }
}
