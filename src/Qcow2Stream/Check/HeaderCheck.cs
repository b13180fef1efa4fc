using Qcow2Stream.Format;

namespace Qcow2Stream.Check;

/// <summary>Checks what the header says of the image as a whole, and counts the header and the LUKS header.</summary>
internal static class HeaderCheck
{
    public static void Check(CheckRun run)
    {
        Qcow2Header header = run.Image.Header;
        CheckPlace features = new("header", HeaderLayout.IncompatibleFeatures);
        if (header.IncompatibleFeatures.HasFlag(Qcow2IncompatibleFeatures.Dirty))
        {
            run.Warn(CheckFindingKind.HeaderFlag, features, "the image is marked dirty: its refcounts may not have been written");
        }

        if (header.IncompatibleFeatures.HasFlag(Qcow2IncompatibleFeatures.Corrupt))
        {
            run.Warn(CheckFindingKind.HeaderFlag, features, "the image is marked corrupt");
        }

        run.Count(0, run.Geometry.ClusterSize, ClusterUse.Metadata, new CheckPlace("header", 0));
        if (header.EncryptionMethod == Qcow2EncryptionMethod.Luks)
        {
            CountLuksHeader(run);
        }
    }

    private static void CountLuksHeader(CheckRun run)
    {
        CheckPlace place = new("LUKS header", HeaderLayout.CryptMethod);
        try
        {
            EncryptionExtension luks = EncryptionExtension.Parse(run.Image.Header, run.Geometry, run.ActualLength, run.Image.File.Path);
            run.Count((ulong)luks.Offset, luks.Length, ClusterUse.Metadata, place);
        }
        catch (Qcow2FormatException e)
        {
            run.Unreadable(CheckFindingKind.EncryptionHeader, place with { HostOffset = e.HostOffset ?? place.HostOffset }, e.Problem);
        }
    }
}
