namespace Qcow2Stream.Format;

/// <summary>The flags of a bitmap (section "Bitmap directory").</summary>
[Flags]
internal enum BitmapFlags : uint
{
    None = 0,
    InUse = 1 << 0,
    Auto = 1 << 1,
    ExtraDataCompatible = 1 << 2,
}
