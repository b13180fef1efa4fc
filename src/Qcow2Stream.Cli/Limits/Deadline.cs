using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Qcow2Stream.Cli.Limits;

/// <summary>The time that a command may take: --timeout.</summary>
internal sealed class Deadline : IDisposable
{
    // As long as a timer can wait.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(49);

    private readonly TimeSpan _time;
    private readonly int _exitCode;
    private readonly Timer _timer;

    private Deadline(TimeSpan time, int exitCode, TimeSpan grace)
    {
        (_time, _exitCode) = (time, exitCode);
        _timer = new Timer(_ => End(), state: null, time + grace, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether it has passed.</summary>
    public bool HasPassed { get; private set; }

    public string Message => string.Create(CultureInfo.InvariantCulture, $"qcow2: not finished after {_time.TotalSeconds} s (--timeout)");

    public static Option<TimeSpan?> Option() => new("--timeout")
    {
        Description = "Ends the command, with exit code 1, if it isn't finished by then. In seconds, or with s, m or h. [default: none]",
        HelpName = "TIME",
        CustomParser = Parse,
    };

    /// <summary>Starts the time, if the command was given one.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="exitCode">What the process returns if it passes.</param>
    /// <param name="grace">How much more time there is.</param>
    public static Deadline? Start(ParseResult parsed, int exitCode, TimeSpan grace = default) =>
        parsed.CommandResult.Command.Options.OfType<Option<TimeSpan?>>().FirstOrDefault() is { } option && parsed.GetValue(option) is { } time
            ? new Deadline(time, exitCode, grace)
            : null;

    public void Dispose() => _timer.Dispose();

    private void End()
    {
        HasPassed = true;
        Ending.Now(Message, _exitCode);
    }

    private static TimeSpan? Parse(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        int unit = text.Length == 0 ? 1 : text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 0 };
        ReadOnlySpan<char> number = unit == 0 ? text : text.AsSpan(0, Math.Max(0, text.Length - 1));
        if (double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            && value * Math.Max(unit, 1) is > 0 and var seconds && seconds <= Longest.TotalSeconds)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        result.AddError($"--timeout needs a time such as 30, 5m or 2h, at most {Longest.Days} days, not '{text}'");
        return null;
    }
}
