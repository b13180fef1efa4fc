using System.Globalization;

namespace Qcow2Stream.Benchmarks.Results;

/// <summary>A time in the unit that suits it.</summary>
internal static class Duration
{
    public static string Milliseconds(double milliseconds) => Nanoseconds(milliseconds * 1e6);

    public static string Nanoseconds(double nanoseconds) => nanoseconds switch
    {
        < 1e3 => Digits(nanoseconds) + " ns",
        < 1e6 => Digits(nanoseconds / 1e3) + " µs",
        < 1e9 => Digits(nanoseconds / 1e6) + " ms",
        _ => Digits(nanoseconds / 1e9) + " s",
    };

    private static string Digits(double value) =>
        value.ToString(value < 10 ? "0.00" : value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
