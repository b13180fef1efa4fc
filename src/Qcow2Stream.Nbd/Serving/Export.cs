using Qcow2Stream.Nbd.Protocol;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>What is served, to all clients alike: one disk, under the empty name.</summary>
/// <param name="chain">The disk.</param>
/// <param name="description">Its description for clients; null for none.</param>
internal sealed class Export(Qcow2Chain chain, string? description)
{
    private int _reads;

    public const string Name = "";

    /// <summary>Nothing is ever written, so a client sees one disk over as many connections as it likes.</summary>
    public const TransmissionFlags Flags =
        TransmissionFlags.HasFlags | TransmissionFlags.ReadOnly | TransmissionFlags.SendDf | TransmissionFlags.CanMultiConn;

    /// <summary>The size of the disk in bytes.</summary>
    public long Length => chain.Length;

    /// <summary>Reads of this size, in bytes, or of multiples, decompress no cluster twice.</summary>
    public uint PreferredBlock => Math.Min((uint)chain.PreferredReadLength, ProtocolLimits.MaxPayload);

    /// <summary>For people.</summary>
    public string Description { get; } = description ?? "";

    /// <summary>Asks for the passphrases that reads will need: of each encrypted layer that shows, a byte is read.</summary>
    /// <exception cref="PassphraseException">There is none, or it is wrong.</exception>
    public void Unlock()
    {
        HashSet<int> locked = [.. chain.Layers.Where(MayBeEncrypted).Select(layer => layer.Depth)];
        if (locked.Count == 0)
        {
            return;
        }

        try
        {
            foreach (MapExtent first in chain.Map().Where(e => e.IsEncrypted && locked.Remove(e.Depth)))
            {
                chain.ReadAt(first.Start, new byte[1]);
                if (locked.Count == 0)
                {
                    break;
                }
            }
        }
        catch (Qcow2Exception e) when (e is not PassphraseException)
        {
            // Damage: the rest can be served.
        }
    }

    /// <summary>The disk as a context describes it, lazily.</summary>
    /// <exception cref="Qcow2Exception">A table is damaged; what comes before it has been returned.</exception>
    public IEnumerable<StatusExtent> Describe(MetaContext context, long start, long length) =>
        context.Describe(chain, chain.Map(start, length).WithHostHoles());

    /// <summary>Which parts of a range are zeros, as far as the tables say, without asking the host's file system.</summary>
    /// <inheritdoc cref="Describe"/>
    public IEnumerable<StatusExtent> Holes(long start, long length) =>
        MetaContext.BaseAllocation.Describe(chain, chain.Map(start, length));

    /// <summary>Reads a range inside the disk: on all cores if nobody else is reading, else on the caller's.</summary>
    /// <exception cref="Qcow2Exception">The bytes can't be read.</exception>
    public void Read(long start, Span<byte> target)
    {
        try
        {
            if (Interlocked.Increment(ref _reads) == 1)
            {
                chain.ReadAt(start, target);
            }
            else
            {
                chain.ReadAt(start, target, maxDegreeOfParallelism: 1);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _reads);
        }
    }

    // Only of qcow2 images is the header known.
    private static bool MayBeEncrypted(ImageLayer layer) =>
        layer.Header is { EncryptionMethod: not 0 } || layer.Format == ImageFormat.Qcow1;
}
