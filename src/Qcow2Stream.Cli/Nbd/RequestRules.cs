using static Qcow2Stream.Cli.Nbd.Protocol;

namespace Qcow2Stream.Cli.Nbd;

/// <summary>Which requests are answered, and what is wrong with the others.</summary>
internal static class RequestRules
{
    /// <summary>The most that is answered as a whole, where a client insists on one chunk, in bytes.</summary>
    public const uint MaxWhole = 1 << 20;

    /// <returns><see cref="Error.None"/> and nothing, or the error and its reason.</returns>
    public static (Error Error, string Reason) Judge(in Request request, Session session, long diskLength)
    {
        CommandFlags known;
        switch (request.Command)
        {
            case Command.Read:
                known = session.StructuredReplies ? CommandFlags.Df : CommandFlags.None;
                break;
            case Command.BlockStatus when session.Contexts.Count > 0:
                known = CommandFlags.ReqOne;
                break;
            case Command.BlockStatus:
                return (Error.Inval, "no context was chosen in the handshake");
            case Command.Write or Command.Trim or Command.WriteZeroes:
                return (Error.Perm, "the export is read-only");
            default:
                return (Error.Inval, "the server does not know this command");
        }

        return (request.Flags & ~known) != 0 ? (Error.Inval, "the server does not know these flags")
            : !request.IsInside(diskLength) ? (Error.Inval, $"the range is empty, or ends behind the disk's {diskLength} bytes")
            : request.Command != Command.Read ? (Error.None, "")
            : request.Length > MaxPayload ? (Error.Inval, $"no more than {MaxPayload} bytes are read at once")
            : request.Flags.HasFlag(CommandFlags.Df) && request.Length > MaxWhole ? (Error.Overflow, $"no more than {MaxWhole} bytes are sent in one chunk")
            : (Error.None, "");
    }
}
