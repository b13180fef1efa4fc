using System.Text;
using Qcow2Stream.Nbd.Protocol;

namespace Qcow2Stream.Nbd;

/// <summary>How a disk is served. Immutable once made; any number of servers may share it.</summary>
public sealed record NbdServerOptions
{
    private const int MostConnections = 1000;

    /// <summary>
    /// How many connections there may be at once, over all endpoints of a server; 1 to 1000. Others are closed at once. A client
    /// may use several: nbdcopy has four. Default: 16.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 1 to 1000.</exception>
    public int MaxConnections
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MostConnections);
            field = value;
        }
    } = 16;

    /// <summary>
    /// How long a client may take for the handshake; a millisecond to a day. Programs need almost none, and a silent client
    /// would hold a place forever. Default: 30 seconds.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from a millisecond to a day.</exception>
    public TimeSpan HandshakeTimeout
    {
        get;
        init => field = value >= TimeSpan.FromMilliseconds(1) && value <= TimeSpan.FromDays(1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "The time must be from a millisecond to a day.");
    } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A description of the disk for people, given to clients that ask; 4096 bytes of UTF-8 at most, no NUL. Null, the default, is the
    /// name of the top image's file, without its directory; empty says nothing.
    /// </summary>
    /// <exception cref="ArgumentException">The value is longer, or contains a NUL.</exception>
    public string? Description
    {
        get;
        init => field = value is null || (Encoding.UTF8.GetByteCount(value) <= ProtocolLimits.MaxString && !value.Contains('\0'))
            ? value
            : throw new ArgumentException($"A description can have {ProtocolLimits.MaxString} bytes of UTF-8 at most, and no NUL.", nameof(value));
    }

    /// <summary>
    /// Receives each failure that doesn't end the server, with the original exception: what a client gets names no files
    /// of this host. From any thread, and from several at once. It holds up the request; an exception that it throws ends
    /// the server. Null, the default: only the client gets an error.
    /// </summary>
    public Action<NbdError>? OnError { get; init; }

    /// <summary>Leaves the chain open when the server is disposed: it must stay open as long. Default: false.</summary>
    public bool LeaveOpen { get; init; }
}
