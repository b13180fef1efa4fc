namespace Qcow2Stream.Tests.Infrastructure;

internal sealed record HeaderExtension(uint Type, byte[] Data)
{
    public const uint BackingFormat = 0xE2792ACA;
    public const uint FeatureNameTable = 0x6803F857;
    public const uint Bitmaps = 0x23852875;
    public const uint FullDiskEncryption = 0x0537BE77;
    public const uint ExternalDataFileName = 0x44415441;
}
