namespace Qcow2Stream.Nbd.Serving;

/// <summary>What a client and the server have agreed on in the handshake.</summary>
/// <param name="StructuredReplies">Whether reads are answered in chunks, which may be holes and errors.</param>
/// <param name="Contexts">What NBD_CMD_BLOCK_STATUS reports.</param>
internal sealed record Session(bool StructuredReplies, IReadOnlyList<MetaContext> Contexts)
{
    /// <summary>Where every handshake starts.</summary>
    public static Session Plain { get; } = new(StructuredReplies: false, Contexts: []);
}
