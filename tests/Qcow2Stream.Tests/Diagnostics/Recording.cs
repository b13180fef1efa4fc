using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Qcow2Stream.Tests.Diagnostics;

/// <summary>
/// What the library reports of the work of the test that made this, and only of that: of what runs in its flow of control,
/// on whichever threads.
/// </summary>
internal sealed class Recording : IDisposable
{
    private static readonly AsyncLocal<Recording?> Current = new();

    private readonly ConcurrentQueue<(string Instrument, double Value, Dictionary<string, object?> Tags)> _measurements = new();
    private readonly ConcurrentQueue<Activity> _activities = new();
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _sources;

    public Recording()
    {
        Current.Value = this;
        _meters.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == Qcow2Diagnostics.MeterName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.Start();
        _sources = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == Qcow2Diagnostics.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
                Current.Value == this ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = _activities.Enqueue,
        };
        ActivitySource.AddActivityListener(_sources);
    }

    /// <summary>The activities that have ended, in this order.</summary>
    public IReadOnlyCollection<Activity> Activities => _activities;

    /// <summary>What a counter has counted since the last time that it was asked; of what has <paramref name="tag"/>, if one is given.</summary>
    public double Take(string instrument, string? tag = null)
    {
        double sum = 0;
        for (int left = _measurements.Count; left > 0 && _measurements.TryDequeue(out var measurement); left--)
        {
            if (measurement.Instrument == instrument && (tag is null || measurement.Tags.ContainsValue(tag)))
            {
                sum += measurement.Value;
            }
            else
            {
                _measurements.Enqueue(measurement);
            }
        }

        return sum;
    }

    /// <summary>The tags of each value that a histogram has got; the values are durations, and above 0.</summary>
    public IReadOnlyList<Dictionary<string, object?>> Durations(string histogram)
    {
        var durations = _measurements.Where(m => m.Instrument == histogram).ToArray();
        Assert.All(durations, d => Assert.InRange(d.Value, double.Epsilon, 60));
        return [.. durations.Select(d => d.Tags)];
    }

    /// <summary>Forgets what was counted so far.</summary>
    public void Clear() => _measurements.Clear();

    public void Dispose()
    {
        _meters.Dispose();
        _sources.Dispose();
        Current.Value = null;
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (Current.Value == this)
        {
            _measurements.Enqueue((instrument.Name, value, tags.ToArray().ToDictionary()));
        }
    }
}
