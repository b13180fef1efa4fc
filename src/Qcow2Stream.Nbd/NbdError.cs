using System.Net;

namespace Qcow2Stream.Nbd;

/// <summary>A failure that doesn't end the server, see <see cref="NbdServerOptions.OnError"/>.</summary>
public sealed record NbdError
{
    /// <summary>
    /// What went wrong: a <see cref="Qcow2Exception"/> if the image is the cause. Its message names files of this host.
    /// </summary>
    public required Exception Exception { get; init; }

    /// <summary>
    /// Where the request that failed starts in the guest's disk, in bytes; null if there was none: no client could be accepted,
    /// which is tried again, and reported again only after it has worked meanwhile.
    /// </summary>
    public long? GuestOffset { get; init; }

    /// <summary>How much the request asked for, in bytes; null if <see cref="GuestOffset"/> is.</summary>
    public long? Length { get; init; }

    /// <summary>The client; null if it is at a Unix socket, or if there was no request.</summary>
    public IPEndPoint? Client { get; init; }
}
