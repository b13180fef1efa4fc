namespace Qcow2Stream.Cli;

/// <summary>Says on standard error where damage was filled in: the first thousand spots, of which an image may have millions.</summary>
internal sealed class DamageLines
{
    private const int Most = 1000;

    private int _told;

    /// <summary>Writes a line, or, after many, that there are more. Safe for any number of threads.</summary>
    public void Write(ImageDamage damage)
    {
        if (Volatile.Read(ref _told) > Most)
        {
            return;
        }

        int number = Interlocked.Increment(ref _told);
        if (number <= Most)
        {
            Console.Error.WriteLine($"qcow2: damaged: {damage.Reason}");
        }
        else if (number == Most + 1)
        {
            Console.Error.WriteLine("qcow2: damaged: and in more places");
        }
    }
}
