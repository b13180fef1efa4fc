using System.Globalization;
using System.Text;

namespace Qcow2Stream.Cli;

/// <summary>
/// Writes messages of failures that repeat: the first of a kind, then the second, fourth, eighth and so on, with their number. Of
/// one kind are messages that differ in figures only. So what a failing disk says, or a client makes it say, fills neither a
/// log nor the memory. Safe for any number of threads.
/// </summary>
/// <param name="output">Receives the lines.</param>
internal sealed class RepeatedMessages(TextWriter output)
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
        string key = WithoutFigures(message);
        if (_kinds.TryGetValue(key, out Kind? kind))
        {
            return kind;
        }

        return _kinds.Count < MaxKinds ? _kinds[key] = new Kind() : _others;
    }

    /// <summary>A message in which each number, also a hexadecimal one, is a single figure.</summary>
    private static string WithoutFigures(string message)
    {
        StringBuilder key = new();
        for (int i = 0; i < message.Length; i++)
        {
            if (!char.IsAsciiDigit(message[i]))
            {
                key.Append(message[i]);
                continue;
            }

            bool isHex = i + 1 < message.Length && message[i] == '0' && message[i + 1] == 'x';
            i += isHex ? 1 : 0;
            while (i + 1 < message.Length && (isHex ? char.IsAsciiHexDigit(message[i + 1]) : char.IsAsciiDigit(message[i + 1])))
            {
                i++;
            }

            key.Append('0');
        }

        return key.ToString();
    }

    private sealed class Kind
    {
        public string? First { get; set; }

        public long Count { get; set; }

        public long Written { get; set; }
    }
}
