namespace Qcow2Stream.Translation;

/// <summary>Pieces in the order of the disk, one after another.</summary>
/// <typeparam name="T">A run, or a range.</typeparam>
internal interface IRunSource<T>
{
    /// <summary>The next piece; false after the last.</summary>
    /// <exception cref="Qcow2Exception">There is one, but it can't be read.</exception>
    bool TryNext(out T run);
}
