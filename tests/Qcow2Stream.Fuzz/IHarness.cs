namespace Qcow2Stream.Fuzz;

/// <summary>
/// One way into the library for bytes from strangers. It may be run any number of times, by one thread at a time, and the
/// same input does the same each time.
/// </summary>
public interface IHarness
{
    /// <summary>What it is called on the command line, and its folder of regressions.</summary>
    string Name { get; }

    /// <summary>Small inputs that get far, each with a file name of its own.</summary>
    IEnumerable<KeyValuePair<string, byte[]>> Seeds { get; }

    /// <summary>Feeds the library one input. Of what it throws, only <see cref="Qcow2Exception"/> is expected and caught.</summary>
    /// <exception cref="BrokenInvariantException">The library broke a promise.</exception>
    void Run(ArraySegment<byte> input);
}
