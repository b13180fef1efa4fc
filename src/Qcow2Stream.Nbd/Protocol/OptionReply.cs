namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_REP_…</summary>
internal enum OptionReply : uint
{
    Ack = 1,
    Server = 2,
    Info = 3,
    MetaContext = 4,
    ErrUnsup = (1u << 31) + 1,
    ErrInvalid = (1u << 31) + 3,
    ErrUnknown = (1u << 31) + 6,
}
