using System.Globalization;

namespace Qcow2Stream.Benchmarks.Results;

/// <summary>What a row's result is, and what it has to be.</summary>
/// <param name="Quantity">What kind of number.</param>
/// <param name="Limit">The largest value, or for <see cref="Quantity.SpeedRatio"/> the smallest; null if there is no target.</param>
internal readonly record struct Target(Quantity Quantity, double? Limit)
{
    public static Target Time(double? atMost = null) => new(Quantity.TimeRatio, atMost);

    public static Target Speed(double? atLeast = null) => new(Quantity.SpeedRatio, atLeast);

    public static Target Mebibytes(double? atMost = null) => new(Quantity.Mebibytes, atMost);

    public static Target Bytes(double? atMost = null) => new(Quantity.Bytes, atMost);

    public bool IsMetBy(double value) => Limit is not { } limit || (Quantity == Quantity.SpeedRatio ? value >= limit : value <= limit);

    public string Format(double value) => Quantity switch
    {
        Quantity.TimeRatio => value.ToString(value < 0.1 ? "0.0000" : "0.000", CultureInfo.InvariantCulture),
        Quantity.SpeedRatio => value.ToString("0.00", CultureInfo.InvariantCulture) + "×",
        Quantity.Mebibytes => value.ToString("0.0", CultureInfo.InvariantCulture) + " MiB",
        _ => value.ToString("0", CultureInfo.InvariantCulture) + " B",
    };

    public override string ToString() => Limit is not { } limit
        ? "—"
        : Quantity switch
        {
            Quantity.TimeRatio => string.Create(CultureInfo.InvariantCulture, $"time ≤ {limit}"),
            Quantity.SpeedRatio => string.Create(CultureInfo.InvariantCulture, $"speed ≥ {limit}×"),
            Quantity.Mebibytes => string.Create(CultureInfo.InvariantCulture, $"≤ {limit} MiB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"≤ {limit} B"),
        };
}
