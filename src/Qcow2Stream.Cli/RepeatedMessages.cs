using System.Globalization;
using System.Text.RegularExpressions;

namespace Qcow2Stream.Cli;

/// <summary>
/// Writes messages of failures that repeat: the first of a kind, then the second, fourth, eighth and so on, with their number. Of
/// one kind are messages that differ in figures only. So what a failing disk says, or a client makes it say, fills neither a
/// log nor the memory. Safe for any number of threads.
/// </summary>
/// <param name="output">Receives the lines.</param>
internal sealed partial class RepeatedMessages(TextWriter output)
{
    /// <summary>How many kinds are told apart. All further ones are one.</summary>
    public const int MaxKinds = 32;

    private readonly Dictionary<string, Kind> _kinds = new(StringComparer.Ordinal);
    private readonly Kind _others = new();
    private readonly Lock _gate = new();

    public void Write(string message)
    {
        lock (_gate)
        {
            Kind kind = KindOf(message);
            kind.Count++;
            if (long.IsPow2(kind.Count))
            {
                kind.Written = kind.Count;
                kind.First ??= message;
                string sofar = kind.Count == 1 ? "" : $" ({Text(kind.Count)} errors like this so far)";
                output.WriteLine($"qcow2: {message}{sofar}");
            }
        }
    }

    /// <summary>Says how many there were of each kind whose number has not been written yet.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            foreach (Kind kind in _kinds.Values.Append(_others).Where(kind => kind.Count > kind.Written))
            {
                kind.Written = kind.Count;
                output.WriteLine($"qcow2: {Text(kind.Count)} errors in all like this: {kind.First}");
            }
        }
    }

    private static string Text(long count) => count.ToString(CultureInfo.InvariantCulture);

    private Kind KindOf(string message)
    {
        string key = Figures().Replace(message, "0");
        if (_kinds.TryGetValue(key, out Kind? kind))
        {
            return kind;
        }

        return _kinds.Count < MaxKinds ? _kinds[key] = new Kind() : _others;
    }

    /// <summary>A number, also a hexadecimal one.</summary>
    [GeneratedRegex("0x[0-9A-Fa-f]*|[0-9]+")]
    private static partial Regex Figures();

    private sealed class Kind
    {
        public string? First { get; set; }

        public long Count { get; set; }

        public long Written { get; set; }
    }
}
