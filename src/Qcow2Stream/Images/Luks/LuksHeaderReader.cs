using System.Buffers.Binary;
using Qcow2Stream.Crypto;
using Qcow2Stream.Crypto.Luks;

namespace Qcow2Stream.Images.Luks;

/// <summary>Finds the header of a LUKS volume in a file: the only one of version 1, the newer good one of version 2's two.</summary>
internal static class LuksHeaderReader
{
    private const int VersionEnd = Luks2Layout.Version + sizeof(ushort);

    /// <summary>Reads the header.</summary>
    /// <param name="file">The volume with its header, from its start on.</param>
    /// <param name="length">The file's length, in bytes.</param>
    /// <param name="cancellationToken">Looked at between the headers.</param>
    /// <exception cref="CryptoFormatException">There is none, or it is damaged.</exception>
    /// <exception cref="CryptoUnsupportedException">It asks for something that isn't handled.</exception>
    /// <exception cref="Qcow2Exception">The host could not read.</exception>
    public static LuksVolumeHeader Read(HostFile file, long length, CancellationToken cancellationToken)
    {
        byte[] start = new byte[Luks2Layout.Length];
        start = start[..file.ReadAt(0, start)];
        ushort version = start.Length >= VersionEnd && start.AsSpan().StartsWith(Luks2BinaryHeader.PrimaryMagic)
            ? BinaryPrimitives.ReadUInt16BigEndian(start.AsSpan(Luks2Layout.Version))
            : (ushort)0;
        return version switch
        {
            1 => LuksVolumeHeader.Of(Luks1Header.Parse(start, length)),

            // Without a magic, too: what overwrote the first header may have left the second.
            0 or 2 => ReadVersion2(file, length, cancellationToken),
            _ => throw new CryptoUnsupportedException($"LUKS version {version}", $"LUKS version {version} is not known; 1 and 2 are"),
        };
    }

    private static LuksVolumeHeader ReadVersion2(HostFile file, long length, CancellationToken cancellationToken)
    {
        Luks2Candidate first = Luks2Candidate.Read(file, 0);
        if (first.Header is { } primary)
        {
            Luks2Candidate second = Luks2Candidate.Read(file, primary.Size);
            return (second.Header is { } newer && newer.SequenceId > primary.SequenceId ? second : first).Parse(length);
        }

        for (int size = Luks2Layout.MinHeaderSize; size <= Luks2Layout.MaxHeaderSize; size *= 2)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Luks2Candidate second = Luks2Candidate.Read(file, size);
            if (second.Header is not null)
            {
                return second.Parse(length);
            }
        }

        throw new CryptoFormatException($"neither header of LUKS is good: of the first one, {first.Fault}; there is no good second one of version 2");
    }
}
