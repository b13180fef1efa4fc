namespace Qcow2Stream.FileSystems.Copying;

/// <summary>
/// The directories of the host from where a copy goes down to where it is, each open. A guest's directories may be nested deeper than handles can be
/// had: of those in the middle the name is kept, and they are opened again on the way back, name by name.
/// </summary>
/// <param name="top">Where the copy goes, which is then owned.</param>
internal sealed class HostPath(HostDirectory top) : IDisposable
{
    private const int MaxOpen = 128;

    private readonly List<Level> _levels = [new Level(default, top)];

    public int Depth => _levels.Count - 1;

    public HostDirectory Last => Open(Depth);

    /// <summary>Makes a directory in the last one, and goes there.</summary>
    public void Make(HostEntryName name)
    {
        _levels.Add(new Level(name, Last.Make(name)));
        if (Depth > MaxOpen)
        {
            _levels[Depth - MaxOpen].Close();
        }
    }

    /// <summary>Goes back to the one before the last.</summary>
    public void Leave()
    {
        _levels[^1].Close();
        _levels.RemoveAt(Depth);
    }

    public void Dispose()
    {
        top.Dispose();
        _levels.ForEach(level => level.Close());
    }

    private HostDirectory Open(int depth)
    {
        if (_levels[depth].Directory is { } open)
        {
            return open;
        }

        int from = depth;
        while (_levels[from].Directory is null && from > 0)
        {
            from--;
        }

        HostDirectory directory = _levels[from].Directory ?? top;
        for (int next = from + 1; next <= depth; next++)
        {
            HostDirectory entered = directory.Enter(_levels[next].Name);
            if (next > from + 1)
            {
                directory.Dispose();
            }

            directory = entered;
        }

        return _levels[depth].Directory = directory;
    }

    private sealed class Level(HostEntryName name, HostDirectory directory)
    {
        public HostEntryName Name => name;

        public HostDirectory? Directory { get; set; } = directory;

        public void Close()
        {
            Directory?.Dispose();
            Directory = null;
        }
    }
}
