namespace Qcow2Stream.Images;

/// <summary>The names that QEMU gives the formats read here, as images record them.</summary>
internal static class FormatNames
{
    public const string Raw = "raw";

    public const string Qcow2 = "qcow2";

    public const string Qcow1 = "qcow";

    // QEMU's name for a file without any format below it; its bytes are the guest's just the same.
    public const string File = "file";

    public const string Vmdk = "vmdk";

    public static string Of(ImageFormat format) => format switch
    {
        ImageFormat.Raw => Raw,
        ImageFormat.Qcow2 => Qcow2,
        ImageFormat.Qcow1 => Qcow1,
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };
}
