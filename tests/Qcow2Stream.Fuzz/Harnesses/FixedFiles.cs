namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>The files below an input: whatever it names, it gets one of these.</summary>
internal sealed class FixedFiles
{
    private const int Length = 24 << 10;

    private readonly byte[] _raw = Pattern(seed: 1);
    private readonly byte[] _qcow2 = new Qcow2Builder
    {
        ClusterBits = 9,
        Size = Length,
        Clusters =
        [
            GuestClusters.Data(0, 0xB0, count: 3),
            GuestClusters.Zero(4),
            GuestClusters.ZeroAllocated(6),
            GuestClusters.Data(9, 0xB1),
        ],
    }.Build().ToBytes();

    /// <summary>What data files hold.</summary>
    public byte[] DataFile { get; } = Pattern(seed: 2);

    /// <summary>The backing file that was given last.</summary>
    public byte[]? Backing { get; private set; }

    public void Reset() => Backing = null;

    public Stream? Open(NamedFile file)
    {
        if (file.Kind == NamedFileKind.DataFile)
        {
            return new MemoryStream(DataFile, writable: false);
        }

        if (file.Name.StartsWith('!'))
        {
            return null;
        }

        Backing = file.Format == "qcow2" ? _qcow2 : _raw;
        return new MemoryStream(Backing, writable: false);
    }

    private static byte[] Pattern(int seed)
    {
        byte[] bytes = new byte[Length];
        new Random(seed).NextBytes(bytes.AsSpan(0, Length / 2));
        return bytes;
    }
}
