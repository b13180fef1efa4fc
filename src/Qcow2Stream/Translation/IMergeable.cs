namespace Qcow2Stream.Translation;

/// <summary>A piece of a listing that may become one with the piece after it; the one loop that does so is <see cref="MergedRuns{T, TSource}"/>.</summary>
/// <typeparam name="T">The piece itself.</typeparam>
internal interface IMergeable<T>
    where T : struct, IMergeable<T>
{
    /// <summary>Whether it is of no length, as a piece that was never filled is.</summary>
    bool IsEmpty { get; }

    /// <summary>Makes <paramref name="next"/> a part of <paramref name="item"/> if it continues where that ends.</summary>
    /// <returns>Whether it did; if not, <paramref name="item"/> stays as it was.</returns>
    static abstract bool TryExtend(ref T item, in T next);
}
