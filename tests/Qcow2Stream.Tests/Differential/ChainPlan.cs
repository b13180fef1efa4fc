using System.Globalization;
using System.Text;

namespace Qcow2Stream.Tests.Differential;

/// <summary>A chain that follows from its seed alone. Its text is what to run by hand to get the chain again.</summary>
internal sealed record ChainPlan(int Seed, IReadOnlyList<LayerPlan> Layers)
{
    /// <summary>Bytes like noise, which no compression makes smaller; qemu-io repeats them as needed.</summary>
    public const string NoiseFile = "noise.bin";

    /// <summary>Bytes out of few, which compress to about half.</summary>
    public const string TextFile = "text.bin";

    // Primes, so that a pattern never starts anew at the same place of a cluster.
    private const int NoiseLength = 65521;
    private const int TextLength = 32749;

    /// <summary>Opens encrypted layers.</summary>
    public const string Passphrase = "swordfish";

    public const string SnapshotName = "before";

    public LayerPlan Top => Layers[^1];

    /// <summary>Whether QEMU takes a name from the current directory that the library takes from the image's.</summary>
    public bool HasNameOfCurrentDirectory => Layers.Any(l =>
        l.DataFileName is not null || (l.BackingName is { } name && name.StartsWith("file:", StringComparison.Ordinal)));

    public byte[] Noise()
    {
        byte[] noise = new byte[NoiseLength];
        new Random(Seed).NextBytes(noise);
        return noise;
    }

    public byte[] Text()
    {
        byte[] text = new byte[TextLength];
        new Random(Seed).GetItems("0123456789abcdef"u8, text);
        return text;
    }

    /// <summary>The layers from the bottom up, as shell commands.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"# QCOW2_SEED={Seed} QCOW2_IMAGES=1\n");
        foreach ((int index, LayerPlan layer) in Layers.Index())
        {
            if (layer.IsRaw)
            {
                text.Append(CultureInfo.InvariantCulture, $"truncate -s {layer.Length} '{layer.Name}'\n");
            }
            else
            {
                string backing = layer.BackingName is { } name ? $"-b \"{name}\" -F {Layers[index - 1].Format} " : "";
                string secret = layer.Encryption is null ? "" : $"--object secret,id=key,data={Passphrase} ";
                text.Append(CultureInfo.InvariantCulture, $"qemu-img create -q -f qcow2 {secret}-o {layer.Options} {backing}'{layer.Name}' {layer.Length}\n");
            }

            AppendCommands(text, layer, layer.Commands.Take(layer.SnapshotAfter ?? 0));
            if (layer.SnapshotAfter is not null)
            {
                text.Append(CultureInfo.InvariantCulture, $"qemu-img snapshot -c {SnapshotName} '{layer.Name}'\n");
            }

            AppendCommands(text, layer, layer.Commands.Skip(layer.SnapshotAfter ?? 0));

            if (!layer.RecordsBackingFormat)
            {
                text.Append("# its backing format is then forgotten\n");
            }

            if (layer.SizeExcess > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"# the size in its header is then {layer.Length + layer.SizeExcess}\n");
            }
        }

        return text.ToString();
    }

    private static void AppendCommands(StringBuilder text, LayerPlan layer, IEnumerable<string> commands)
    {
        if (commands.Any())
        {
            string arguments = string.Join(" ", commands.Select(c => $"-c '{c}'"));
            text.Append(CultureInfo.InvariantCulture, $"qemu-io -d unmap -f {layer.Format} {arguments} '{layer.Name}'\n");
        }
    }
}
