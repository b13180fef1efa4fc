namespace Qcow2Stream.Cli;

/// <summary>Turns how much is done into how much more is done.</summary>
/// <param name="more">Is told.</param>
internal sealed class Increments(Action<long> more) : IProgress<long>
{
    private long _done;

    public void Report(long value)
    {
        more(value - _done);
        _done = value;
    }
}
