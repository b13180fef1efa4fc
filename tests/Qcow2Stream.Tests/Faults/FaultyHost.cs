using DiscUtils;

namespace Qcow2Stream.Tests.Faults;

/// <summary>
/// Files in memory, of one host whose reads are counted over all of them: one of these reads, by its number, goes wrong, or
/// something else happens beside it. It knows every stream that it has opened.
/// </summary>
internal sealed class FaultyHost(IReadOnlyDictionary<string, byte[]> files) : FileLocator
{
    private readonly List<FaultyStream> _opened = [];
    private readonly Lock _gate = new();
    private FaultKind _kind;
    private int _faultAt = -1;
    private long _cutAt;
    private bool _isBroken;
    private int _reads;

    /// <summary>The reads of all files so far.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <summary>The read that went wrong; null until then.</summary>
    public FaultHit? Hit { get; private set; }

    /// <summary>The most bytes that one read gives.</summary>
    public int MaxRead { get; init; } = int.MaxValue;

    /// <summary>Whether asynchronous reads complete later, on another thread.</summary>
    public bool IsSlow { get; init; }

    /// <summary>Whether asking for the length of a file fails.</summary>
    public bool HidesLengths { get; set; }

    /// <summary>Whether closing a file fails, after it was closed.</summary>
    public bool FailsToClose { get; set; }

    /// <summary>Is called for each read before it is done, by its number from 0 on, and whether it is one that waits.</summary>
    public Func<int, bool, CancellationToken, Task>? Reading { get; set; }

    public IReadOnlyList<FaultyStream> Opened => _opened;

    /// <summary>Has the read of that number, counted over all files from 0 on, go wrong.</summary>
    public void Break(FaultKind kind, int read) => (_kind, _faultAt) = (kind, read);

    /// <summary>Makes the files whole again.</summary>
    public void Heal()
    {
        lock (_gate)
        {
            _isBroken = false;
            _faultAt = -1;
        }
    }

    public FaultyStream Open(string name)
    {
        FaultyStream stream = new(this, name, files[name]);
        lock (_gate)
        {
            _opened.Add(stream);
        }

        return stream;
    }

    public int NextRead() => Interlocked.Increment(ref _reads) - 1;

    /// <summary>The length of a file as it is now.</summary>
    public long LengthOf(string name)
    {
        if (HidesLengths)
        {
            throw new IOException("the host does not answer");
        }

        lock (_gate)
        {
            return _isBroken && _kind == FaultKind.IsCut && Hit!.File == name ? _cutAt : files[name].Length;
        }
    }

    /// <summary>How many of the bytes wanted the read gives.</summary>
    public int Serve(int read, string name, long offset, int wanted)
    {
        lock (_gate)
        {
            int available = (int)Math.Clamp(files[name].Length - offset, 0, wanted);
            if (read == _faultAt)
            {
                _faultAt = -1;
                Hit = new FaultHit(name, offset, wanted);
                if (_kind == FaultKind.Throws)
                {
                    throw new IOException("the host has lost the file");
                }

                _isBroken = true;
                _cutAt = offset + (available / 2);
            }

            return _isBroken && Hit!.File == name
                ? (int)Math.Clamp(_cutAt - offset, 0, Math.Min(available, MaxRead))
                : Math.Min(available, MaxRead);
        }
    }

    /// <summary>Every stream that was opened has been disposed, and none twice.</summary>
    public void CheckAllDisposed() => Assert.All(_opened, stream => Assert.Equal((stream.Name, 1), (stream.Name, stream.Disposals)));

    public override bool Exists(string fileName) => files.ContainsKey(fileName);

    public override FileLocator GetRelativeLocator(string path) => throw new NotSupportedException();

    public override string GetFullPath(string path) => path;

    public override string GetDirectoryFromPath(string path) => "";

    public override string GetFileFromPath(string path) => path;

    public override DateTime GetLastWriteTimeUtc(string path) => throw new NotSupportedException();

    public override bool HasCommonRoot(FileLocator other) => throw new NotSupportedException();

    public override string ResolveRelativePath(string path) => path;

    protected override Stream OpenFile(string fileName, FileMode mode, FileAccess access, FileShare share) => Open(fileName);
}
