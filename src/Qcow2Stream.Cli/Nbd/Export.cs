using System.Text;
using Shared;
using static Qcow2Stream.Cli.Nbd.Protocol;

namespace Qcow2Stream.Cli.Nbd;

/// <summary>What is served, to all clients alike: one disk, under the empty name.</summary>
/// <param name="chain">The disk.</param>
/// <param name="messages">Receives a line a failure.</param>
internal sealed class Export(Qcow2Chain chain, TextWriter messages)
{
    private readonly Lock _messages = new();
    private int _reads;

    public const string Name = "";

    /// <summary>Nothing is ever written, so a client sees one disk over as many connections as it likes.</summary>
    public const TransmissionFlags Flags =
        TransmissionFlags.HasFlags | TransmissionFlags.ReadOnly | TransmissionFlags.SendDf | TransmissionFlags.CanMultiConn;

    /// <summary>The size of the disk in bytes.</summary>
    public long Length => chain.Length;

    /// <summary>Reads of this size, in bytes, or of multiples, decompress no cluster twice.</summary>
    public uint PreferredBlock => Math.Min((uint)chain.PreferredReadLength, MaxPayload);

    /// <summary>The name of the image's file, for people; untrusted text.</summary>
    public string Description { get; } = Shorten(PrintableText.Escape(Path.GetFileName(chain.Layers[0].Path) ?? ""));

    /// <summary>Asks for the passphrase that reads will need, so that a wrong one is known before there are clients.</summary>
    /// <exception cref="PassphraseException">There is none, or not the right one.</exception>
    public void Unlock()
    {
        if (!chain.Layers.Any(l => l.Header is { EncryptionMethod: not 0 }))
        {
            return;
        }

        try
        {
            foreach (MapExtent first in chain.Map().Where(e => e.IsEncrypted).Take(1))
            {
                chain.ReadAt(first.Start, new byte[1]);
            }
        }
        catch (Qcow2Exception e) when (e is not PassphraseException)
        {
            // Damage: the rest can be served.
        }
    }

    /// <summary>The disk as a context tells it, lazily.</summary>
    /// <exception cref="Qcow2Exception">A table is damaged; what comes before it has been told.</exception>
    public IEnumerable<StatusExtent> Describe(MetaContext context, long start, long length) =>
        context.Describe(chain, chain.Map(start, length).WithHostHoles());

    /// <summary>Which parts of a range are zeros, as far as the tables tell without a question to the host's file system.</summary>
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

    /// <summary>Tells the server's own user what a client is told too.</summary>
    public void Report(IOException failure)
    {
        lock (_messages)
        {
            messages.WriteLine($"qcow2: {failure.Message}");
        }
    }

    private static string Shorten(string text) => Encoding.UTF8.GetByteCount(text) <= MaxString ? text : "";
}
