using Qcow2Stream.Crypto;
using Qcow2Stream.Crypto.Luks;

namespace Qcow2Stream.Images.Luks;

/// <summary>What is found where a header of LUKS2 may be.</summary>
internal sealed class Luks2Candidate
{
    private readonly byte[] _area = [];

    private Luks2Candidate(string fault)
    {
        Fault = fault;
    }

    private Luks2Candidate(Luks2BinaryHeader header, byte[] area)
    {
        Header = header;
        _area = area;
    }

    /// <summary>The binary header; null if there is none whose checksum is right.</summary>
    public Luks2BinaryHeader? Header { get; }

    /// <summary>Why there is none; null if there is one.</summary>
    public string? Fault { get; }

    /// <summary>Reads what is there.</summary>
    /// <param name="file">The volume with its header.</param>
    /// <param name="offset">Where in it, in bytes.</param>
    /// <exception cref="Qcow2Exception">The host could not read.</exception>
    public static Luks2Candidate Read(HostFile file, long offset)
    {
        byte[] binary = new byte[Luks2Layout.Length];
        if (file.ReadAt(offset, binary) < binary.Length)
        {
            return new Luks2Candidate("the file ends before it does");
        }

        try
        {
            var header = Luks2BinaryHeader.Parse(binary, offset);
            byte[] area = new byte[header.Size - Luks2Layout.Length];
            if (file.ReadAt(offset + Luks2Layout.Length, area) < area.Length)
            {
                return new Luks2Candidate("the file ends before it does");
            }

            header.Verify(area);
            return new Luks2Candidate(header, area);
        }
        catch (CryptoFormatException e)
        {
            return new Luks2Candidate(e.Message);
        }
        catch (CryptoUnsupportedException e)
        {
            // It can't be told from a damaged one.
            return new Luks2Candidate(e.Message);
        }
    }

    /// <summary>Reads the metadata of a good header.</summary>
    /// <param name="availableLength">The length of the volume with its header, in bytes.</param>
    /// <exception cref="CryptoFormatException">The metadata are broken.</exception>
    /// <exception cref="CryptoUnsupportedException">They ask for something that isn't handled here.</exception>
    public LuksVolumeHeader Parse(long availableLength) => Luks2HeaderParser.Parse(Header!, _area, availableLength);
}
