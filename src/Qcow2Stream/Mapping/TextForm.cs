using Qcow2Stream.Layers;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>A line per run. Zeros are zeros, no matter how.</summary>
internal readonly struct TextForm : IMapForm
{
    public static HostRun Of(OpenChain chain, in HostRun run) => Of(run);

    public static HostRun Of(in HostRun run) => run.IsZero
        ? new HostRun { Kind = RunKind.Zero, GuestOffset = run.GuestOffset, Length = run.Length }
        : run;

    public static void WriteEntry(Utf8Output text, in HostRun run, bool isFirst)
    {
        text.Number(run.GuestOffset).Text(" "u8).Number(run.Length);
        if (!run.IsZero)
        {
            text.Text(" "u8).Number(run.Depth).Text(" "u8);
            if (run.HasHostOffset)
            {
                text.Number(run.HostOffset);
            }
            else
            {
                text.Text("-"u8);
            }

            if (run.Kind == RunKind.Compressed)
            {
                text.Text(" "u8).Number(run.HostLength);
            }
        }

        text.Text("\n"u8);
    }
}
