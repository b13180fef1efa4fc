namespace Qcow2Stream.Cli.Nbd;

/// <summary>The numbers of the NBD protocol (its doc/proto.md), by the names that they have there.</summary>
internal static class Protocol
{
    public const ulong NbdMagic = 0x4e42444d41474943;
    public const ulong IHaveOpt = 0x49484156454f5054;
    public const ulong OptionReplyMagic = 0x0003e889045565a9;
    public const uint RequestMagic = 0x25609513;
    public const uint SimpleReplyMagic = 0x67446698;
    public const uint StructuredReplyMagic = 0x668e33ef;

    /// <summary>The longest string, such as an export's name, in bytes.</summary>
    public const int MaxString = 4096;

    /// <summary>What a client may always count on being served in one request, in bytes.</summary>
    public const uint MaxPayload = 32 << 20;

    /// <summary>NBD_FLAG_…, of the server's greeting.</summary>
    [Flags]
    public enum HandshakeFlags : ushort
    {
        FixedNewstyle = 1 << 0,
        NoZeroes = 1 << 1,
    }

    /// <summary>NBD_FLAG_C_…</summary>
    [Flags]
    public enum ClientFlags : uint
    {
        FixedNewstyle = 1 << 0,
        NoZeroes = 1 << 1,
    }

    /// <summary>NBD_FLAG_…, of an export.</summary>
    [Flags]
    public enum TransmissionFlags : ushort
    {
        HasFlags = 1 << 0,
        ReadOnly = 1 << 1,
        SendDf = 1 << 7,
        CanMultiConn = 1 << 8,
    }

    /// <summary>NBD_OPT_…</summary>
    public enum Option : uint
    {
        ExportName = 1,
        Abort = 2,
        List = 3,
        StartTls = 5,
        Info = 6,
        Go = 7,
        StructuredReply = 8,
        ListMetaContext = 9,
        SetMetaContext = 10,
    }

    /// <summary>NBD_REP_…</summary>
    public enum OptionReply : uint
    {
        Ack = 1,
        Server = 2,
        Info = 3,
        MetaContext = 4,
        ErrUnsup = (1u << 31) + 1,
        ErrInvalid = (1u << 31) + 3,
        ErrUnknown = (1u << 31) + 6,
    }

    /// <summary>NBD_INFO_…</summary>
    public enum InfoType : ushort
    {
        Export = 0,
        Name = 1,
        Description = 2,
        BlockSize = 3,
    }

    /// <summary>NBD_CMD_…</summary>
    public enum Command : ushort
    {
        Read = 0,
        Write = 1,
        Disc = 2,
        Flush = 3,
        Trim = 4,
        Cache = 5,
        WriteZeroes = 6,
        BlockStatus = 7,
    }

    /// <summary>NBD_CMD_FLAG_…</summary>
    [Flags]
    public enum CommandFlags : ushort
    {
        None = 0,
        Fua = 1 << 0,
        NoHole = 1 << 1,
        Df = 1 << 2,
        ReqOne = 1 << 3,
        FastZero = 1 << 4,
    }

    /// <summary>NBD_REPLY_TYPE_…, of a chunk of a structured reply.</summary>
    public enum ChunkType : ushort
    {
        None = 0,
        OffsetData = 1,
        OffsetHole = 2,
        BlockStatus = 5,
        Error = (1 << 15) + 1,
        ErrorOffset = (1 << 15) + 2,
    }

    /// <summary>NBD_REPLY_FLAG_…</summary>
    [Flags]
    public enum ChunkFlags : ushort
    {
        None = 0,
        Done = 1 << 0,
    }

    /// <summary>NBD_STATE_…, of an extent in <c>base:allocation</c>.</summary>
    [Flags]
    public enum State : uint
    {
        None = 0,
        Hole = 1 << 0,
        Zero = 1 << 1,
    }

    /// <summary>NBD_E…</summary>
    public enum Error : uint
    {
        None = 0,
        Perm = 1,
        Io = 5,
        Inval = 22,
        Overflow = 75,
    }
}
