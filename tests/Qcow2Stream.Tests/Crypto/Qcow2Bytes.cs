using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>Finds things in a small qcow2 file with clusters of 64 KiB.</summary>
internal static class Qcow2Bytes
{
    private const uint EncryptionHeaderType = 0x0537BE77;

    public static (int Offset, int Length) EncryptionHeader(byte[] file)
    {
        long at = file.ReadU32(100);
        while (file.ReadU32(at) != EncryptionHeaderType)
        {
            at += 8 + ((file.ReadU32(at + 4) + 7) & ~7u);
        }

        return ((int)file.ReadU64(at + 8), (int)file.ReadU64(at + 16));
    }

    public static long HostOffset(byte[] file, long guestOffset)
    {
        const ulong OffsetMask = 0x00FF_FFFF_FFFF_FE00;
        ulong l2 = file.ReadU64((long)file.ReadU64(40) + (guestOffset >> 29 << 3)) & OffsetMask;
        return (long)(file.ReadU64((long)l2 + ((guestOffset >> 16 & 0x1FFF) << 3)) & OffsetMask);
    }
}
