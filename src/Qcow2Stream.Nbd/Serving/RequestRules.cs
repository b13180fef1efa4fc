using Qcow2Stream.Nbd.Protocol;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>Which requests are answered, and what is wrong with the others.</summary>
internal static class RequestRules
{
    /// <summary>The most that is answered as a whole, where a client insists on one chunk, in bytes.</summary>
    public const uint MaxWhole = 1 << 20;

    /// <returns><see cref="ErrorCode.None"/> and nothing, or the error and its reason.</returns>
    public static (ErrorCode Error, string Reason) Judge(in Request request, Session session, long diskLength)
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
                return (ErrorCode.Inval, "no context was chosen in the handshake");
            case Command.Write or Command.Trim or Command.WriteZeroes:
                return (ErrorCode.Perm, "the export is read-only");
            default:
                return (ErrorCode.Inval, "the server does not know this command");
        }

        return (request.Flags & ~known) != 0 ? (ErrorCode.Inval, "the server does not know these flags")
            : !request.IsInside(diskLength) ? (ErrorCode.Inval, $"the range is empty, or ends past the disk's {diskLength} bytes")
            : request.Command != Command.Read ? (ErrorCode.None, "")
            : request.Length > ProtocolLimits.MaxPayload ? (ErrorCode.Inval, $"no more than {ProtocolLimits.MaxPayload} bytes are read at once")
            : request.Flags.HasFlag(CommandFlags.Df) && request.Length > MaxWhole ? (ErrorCode.Overflow, $"no more than {MaxWhole} bytes are sent in one chunk")
            : (ErrorCode.None, "");
    }
}
