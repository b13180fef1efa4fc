namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>What an item is about: XFS_LI_EFI and the like. What is to be done is followed by that it is done.</summary>
internal enum XfsLogItemKind : ushort
{
    FreeIntent = 0x1236,
    FreeDone = 0x1237,
    Inode = 0x123B,
    Buffer = 0x123C,
    Quota = 0x123D,
    QuotaOff = 0x123E,
    Create = 0x123F,
    OwnerIntent = 0x1240,
    OwnerDone = 0x1241,
    CountIntent = 0x1242,
    CountDone = 0x1243,
    MapIntent = 0x1244,
    MapDone = 0x1245,
    AttributeIntent = 0x1246,
    AttributeDone = 0x1247,
    ExchangeIntent = 0x1248,
    ExchangeDone = 0x1249,
    RealtimeFreeIntent = 0x124A,
    RealtimeFreeDone = 0x124B,
    RealtimeOwnerIntent = 0x124C,
    RealtimeOwnerDone = 0x124D,
    RealtimeCountIntent = 0x124E,
    RealtimeCountDone = 0x124F,
}
