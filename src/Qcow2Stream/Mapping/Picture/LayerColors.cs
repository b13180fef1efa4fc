namespace Qcow2Stream.Mapping.Picture;

/// <summary>A colour per layer, distinguishable with every kind of colour vision.</summary>
internal static class LayerColors
{
    // Okabe and Ito's colours, without black, and without yellow, which is too pale beside white.
    private static readonly int[] Few = [0x0072B2, 0xE69F00, 0x009E73, 0xD55E00, 0x56B4E9, 0xCC79A7];

    // Viridis, with a darker end: it becomes lighter from one end to the other, so that lightness distinguishes many layers.
    private static readonly int[] Scale = [0x440154, 0x3B528B, 0x21918C, 0x5EC962, 0xE3D000];

    /// <summary>The colour of a layer as <c>#rrggbb</c>.</summary>
    /// <param name="depth">The layer.</param>
    /// <param name="layers">How many there are.</param>
    public static string Of(int depth, int layers)
    {
        if (layers <= Few.Length)
        {
            return $"#{Few[depth]:x6}";
        }

        double place = (double)depth / (layers - 1) * (Scale.Length - 1);
        int below = Math.Min((int)place, Scale.Length - 2);
        int color = 0;
        for (int shift = 16; shift >= 0; shift -= 8)
        {
            int from = (Scale[below] >> shift) & 0xFF;
            int to = (Scale[below + 1] >> shift) & 0xFF;
            color |= (int)Math.Round(from + ((to - from) * (place - below))) << shift;
        }

        return $"#{color:x6}";
    }
}
