using System.Globalization;

namespace Shared;

/// <summary>Sizes in binary units, short.</summary>
internal static class ByteSize
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Two or three digits and a unit, such as 512 B, 1.5 GiB, 200 MiB.</summary>
    public static string Text(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string form = unit == 0 || value >= 100 ? "0" : "0.#";
        return $"{value.ToString(form, CultureInfo.InvariantCulture)} {Units[unit]}";
    }
}
