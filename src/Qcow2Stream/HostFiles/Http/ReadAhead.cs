namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// Detects from the blocks that were missing whether a file is read from front to back, perhaps in several places at once,
/// and how far ahead to read then. Not thread-safe.
/// </summary>
/// <param name="maxBlocks">The farthest; 0 turns reading ahead off.</param>
internal sealed class ReadAhead(int maxBlocks)
{
    // Tables, data, and some readers beside each other.
    private const int MaxPlaces = 8;

    private readonly List<Place> _places = [];

    /// <summary>How many blocks to read beyond those wanted, which were missing.</summary>
    /// <param name="first">The first block that is wanted.</param>
    /// <param name="count">How many.</param>
    /// <param name="room">For how many there is room now.</param>
    public int After(long first, int count, int room)
    {
        // Readers on several cores come a little out of order.
        int index = _places.FindIndex(p => first >= p.Next && first <= p.Next + p.Ahead);
        Place place = index < 0 ? new Place(0, 0) : _places[index];
        int ahead = index < 0 ? 0 : Math.Min(Math.Min(maxBlocks, room), Math.Max(1, Math.Max(place.Ahead * 2, count)));
        if (index >= 0)
        {
            _places.RemoveAt(index);
        }
        else if (_places.Count == MaxPlaces)
        {
            _places.RemoveAt(MaxPlaces - 1);
        }

        _places.Insert(0, new Place(first + count + ahead, ahead));
        return ahead;
    }

    /// <summary>What to read next where a reader has come to blocks that were read ahead.</summary>
    /// <param name="number">The first of these blocks.</param>
    /// <param name="end">The block after those that the reader needs now.</param>
    /// <param name="room">For how many there is room now.</param>
    /// <returns>The first block, and how many; none if the reader of these blocks is forgotten.</returns>
    public (long First, int Count) Beyond(long number, long end, int room)
    {
        int index = _places.FindIndex(p => p.Ahead > 0 && p.Next - p.Ahead == number);
        if (index < 0)
        {
            return (number, 0);
        }

        Place place = _places[index];
        int ahead = (int)Math.Min(Math.Min(maxBlocks, room), Math.Max(place.Ahead * 2, end - place.Next));
        _places.RemoveAt(index);
        _places.Insert(0, new Place(place.Next + ahead, ahead));
        return (place.Next, ahead);
    }

    /// <param name="Next">The block after all that was requested.</param>
    /// <param name="Ahead">How many of these were not needed yet.</param>
    private readonly record struct Place(long Next, int Ahead);
}
