namespace Qcow2Stream.Nbd.Protocol;

/// <summary>The numbers that messages start with. This room has the NBD protocol's names (its doc/proto.md) without their NBD_…</summary>
internal static class Magic
{
    public const ulong Nbd = 0x4e42444d41474943;
    public const ulong IHaveOpt = 0x49484156454f5054;
    public const ulong OptionReply = 0x0003e889045565a9;
    public const uint Request = 0x25609513;
    public const uint SimpleReply = 0x67446698;
    public const uint StructuredReply = 0x668e33ef;
}
