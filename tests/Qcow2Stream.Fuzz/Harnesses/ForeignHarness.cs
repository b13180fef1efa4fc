using Qcow2Stream.Fuzz.Checks;
using Qcow2Stream.Fuzz.Seeding;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>
/// The input is a sparse file (see <see cref="ForeignInput"/>) in a format that DiscUtils reads, below a qcow2 image: it is opened,
/// mapped and read, and neither reads nor allocates more than its tables and the ranges that are asked for justify.
/// </summary>
internal sealed class ForeignHarness : IHarness
{
    private const int MostExtents = 256;
    private const int Piece = 4096;
    private const long MostRead = 512 << 20;
    private const long TopSize = 1L << 40;

    private readonly Dictionary<string, byte[]> _tops = ForeignInput.Formats.ToDictionary(f => f, TopOver);

    static ForeignHarness() => ForeignFormats.Register();

    public string Name => "foreign";

    public IEnumerable<KeyValuePair<string, byte[]>> Seeds => ForeignSeeds.All;

    public void Run(ArraySegment<byte> input)
    {
        if (ForeignInput.Parse(input, out string format) is not { } file)
        {
            return;
        }

        Qcow2OpenOptions options = FuzzOptions.Default with
        {
            MaxForeignTableBytes = 8 << 20,
            MaxChainDepth = 4,
            Follow = FollowPolicy.FromFileResolver(named => named.Kind == NamedFileKind.BackingFile ? file : HostFile.FromStream(new MemoryStream(input.ToArray()))),
        };
        try
        {
            using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(_tops[format], writable: false), options);
            Walk(chain);
        }
        catch (Qcow2Exception)
        {
            // It does not open.
        }

        if (file.BytesRead > MostRead)
        {
            throw new BrokenInvariantException($"{file.BytesRead} bytes were read; {MostRead} are allowed");
        }
    }

    private static void Walk(Qcow2Chain chain)
    {
        long size = chain.Layers[1].Length;
        ReadTrial trial = new(chain);
        foreach (long place in (ReadOnlySpan<long>)[0, size / 2 / Piece * Piece, Math.Max(0, size - Piece)])
        {
            if (place < chain.Length)
            {
                trial.TryRead(place, (int)Math.Min(Piece, chain.Length - place), mayDiffer: true);
            }
        }

        try
        {
            long position = 0;
            foreach (MapExtent extent in chain.Map().Take(MostExtents))
            {
                MapRules.Check(extent, position, chain);
                position = extent.End;
            }
        }
        catch (Qcow2Exception)
        {
            // Part of it is damaged.
        }
    }

    private static byte[] TopOver(string format) =>
        new Qcow2Builder { Size = TopSize, ClusterBits = 21, BackingFile = "below", BackingFormat = format }.Build().ToBytes();
}
