using Qcow2Stream.Format;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>
/// The next piece of a read of encrypted data: whole sectors straight into the caller's buffer, or the part of one
/// sector that a read starts or ends in.
/// </summary>
/// <param name="HostOffset">Where its first sector starts in the file.</param>
/// <param name="Skip">How many bytes of that sector come before the piece.</param>
/// <param name="Length">How many bytes of the read it covers.</param>
/// <param name="FirstSector">The number that the first sector is encrypted under.</param>
internal readonly record struct SectorSlice(long HostOffset, int Skip, int Length, long FirstSector)
{
    /// <summary>Whether the piece is whole sectors.</summary>
    public bool IsWhole => Skip == 0 && Length % Sector.Size == 0;

    /// <summary>The piece of a run at <paramref name="done"/> bytes into a read of <paramref name="length"/>.</summary>
    public static SectorSlice At(in HostRun run, Qcow2EncryptionMethod method, int done, int length)
    {
        long position = run.HostOffset + done;
        int skip = (int)(position % Sector.Size);
        int rest = length - done;
        int whole = skip == 0 ? rest - (rest % Sector.Size) : 0;

        // AES counts the guest's sectors, LUKS the file's.
        long numbered = method == Qcow2EncryptionMethod.Aes ? run.GuestOffset + done : position;
        return new SectorSlice(
            position - skip, skip, whole > 0 ? whole : Math.Min(Sector.Size - skip, rest), numbered / Sector.Size);
    }
}
