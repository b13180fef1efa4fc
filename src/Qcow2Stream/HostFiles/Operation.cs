using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Qcow2Stream.HostFiles;

/// <summary>Something that takes a while and that somebody listens to: an activity, and how long it took.</summary>
internal sealed class Operation : IDisposable
{
    private static readonly ActivitySource Source = new(Qcow2Diagnostics.SourceName, Instruments.Version ?? "");

    private readonly Histogram<double> _duration;
    private readonly Activity? _activity;
    private readonly long _started = Stopwatch.GetTimestamp();
    private TagList _tags;
    private int? _httpStatus;

    private Operation(string activity, Histogram<double> duration)
    {
        _duration = duration;
        Activity? callers = Activity.Current;
        try
        {
            _activity = Source.StartActivity(activity);
        }
        catch
        {
            // Of a listener, which hears of an activity that is the current one already.
            Activity.Current = callers;
            throw;
        }
    }

    /// <summary>Starts the opening of a chain; null if nobody listens.</summary>
    public static Operation? Open() =>
        Qcow2Diagnostics.IsSupported ? Start(Qcow2Diagnostics.OpenActivity, Instruments.OpenDuration) : null;

    /// <summary>Starts a copy of a disk; null if nobody listens.</summary>
    public static Operation? Copy() =>
        Qcow2Diagnostics.IsSupported ? Start(Qcow2Diagnostics.CopyActivity, Instruments.CopyDuration) : null;

    /// <summary>Starts a comparison of disks; null if nobody listens.</summary>
    public static Operation? Compare() =>
        Qcow2Diagnostics.IsSupported ? Start(Qcow2Diagnostics.CompareActivity, Instruments.CompareDuration) : null;

    /// <summary>Starts a request to a web server; null if nobody listens.</summary>
    public static Operation? HttpRequest() =>
        Qcow2Diagnostics.IsSupported ? Start(Qcow2Diagnostics.HttpRequestActivity, Instruments.HttpRequestDuration) : null;

    /// <summary>
    /// Watches each enumeration of a check's findings. Its activity is the current one only while the next finding is looked for, and
    /// not in the hands of the caller, who may start and stop activities between two findings.
    /// </summary>
    public static IEnumerable<T> Check<T>(IEnumerable<T> findings)
    {
        Activity? callers = Activity.Current;
        Operation? check = Qcow2Diagnostics.IsSupported ? Start(Qcow2Diagnostics.CheckActivity, Instruments.CheckDuration) : null;
        Activity.Current = callers;
        try
        {
            using IEnumerator<T> source = findings.GetEnumerator();
            while (check is null ? source.MoveNext() : check.Find(source))
            {
                yield return source.Current;
            }
        }
        finally
        {
            callers = Activity.Current;
            check?.Dispose();
            Activity.Current = callers;
        }
    }

    /// <summary>Says what was opened.</summary>
    public void Opened(string format, int layers)
    {
        Tag(Qcow2Diagnostics.ImageFormatTag, format);

        // Not for the histogram, which keeps a set of numbers for each value.
        _activity?.SetTag(Qcow2Diagnostics.ImageLayersTag, layers);
    }

    /// <summary>Says how a web server answered.</summary>
    public void Answered(int status)
    {
        _httpStatus = status;
        Tag(Qcow2Diagnostics.HttpStatusTag, status);
    }

    /// <summary>Says that it failed, and by what kind of exception: the text of one may have names in it.</summary>
    public void Failed(Exception e)
    {
        Tag(Qcow2Diagnostics.ErrorTypeTag, _httpStatus >= 400 ? $"{_httpStatus}" : e.GetType().FullName);
        _activity?.SetStatus(ActivityStatusCode.Error);
    }

    public void Dispose()
    {
        _activity?.Dispose();
        _duration.Record(Stopwatch.GetElapsedTime(_started).TotalSeconds, _tags);
    }

    private static Operation? Start(string activity, Histogram<double> duration) =>
        duration.Enabled || Source.HasListeners() ? new Operation(activity, duration) : null;

    private bool Find<T>(IEnumerator<T> source)
    {
        Activity? callers = Activity.Current;
        Activity.Current = _activity ?? callers;
        try
        {
            return source.MoveNext();
        }
        catch (Exception e)
        {
            Failed(e);
            throw;
        }
        finally
        {
            Activity.Current = callers;
        }
    }

    private void Tag(string name, object? value)
    {
        _tags.Add(name, value);
        _activity?.SetTag(name, value);
    }
}
