using System.Text;
using Qcow2Stream.Nbd.Protocol;

namespace Qcow2Stream.Nbd;

/// <summary>How a disk is served. Immutable once made; any number of servers may share it.</summary>
public sealed record NbdServerOptions
{
    private const int MostConnections = 1000;

    /// <summary>
    /// How many connections there may be at once, over all endpoints of a server; 1 to 1000. For one more, the one that has been
    /// idle for longest is closed, if that is <see cref="MinIdleTime"/> or more; otherwise the new one is closed at once. A
    /// client may use several: nbdcopy has four. Default: 16.
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
    /// How long a connection must have been idle before it may be closed for a new one, when there are
    /// <see cref="MaxConnections"/>; from zero to a day. Idle is one with no request under way, or whose client
    /// takes nothing of the answer; one in the handshake has been since it began. A read of the image that takes long makes
    /// none idle. Default: 10 seconds.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from zero to a day.</exception>
    public TimeSpan MinIdleTime
    {
        get;
        init => field = value >= TimeSpan.Zero && value <= TimeSpan.FromDays(1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "The time must be from zero to a day.");
    } = TimeSpan.FromSeconds(10);

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
    /// A description of the disk for people, given to clients that ask; 4096 bytes of UTF-8 at most, no NUL. Null, the
    /// default, and an empty one say nothing: nothing that clients are told names a file of this host.
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
    /// the server. It is called as often as clients ask for what can't be read: a log should count what repeats. Null, the
    /// default: only the client gets an error.
    /// </summary>
    public Action<NbdError>? OnError { get; init; }

    /// <summary>What idle times are measured with.</summary>
    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Leaves the chain open when the server is disposed: it must stay open as long. Default: false.</summary>
    public bool LeaveOpen { get; init; }
}
