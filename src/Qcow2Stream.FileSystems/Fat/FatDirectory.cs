namespace Qcow2Stream.FileSystems.Fat;

/// <summary>Reads directories: records of 32 bytes, of which some hold parts of the long name of the one that follows.</summary>
internal static class FatDirectory
{
    // As long as a directory may be.
    private const int MaxLength = 65536 * FatRecord.Length;

    private const int MaxLongName = 255;

    /// <summary>Makes something of each record that is in use, with its name.</summary>
    public delegate T Maker<T>(string name, FatRecord record);

    /// <summary>The records of a directory, as many at once as lie together.</summary>
    /// <exception cref="GuestException">Its chain of clusters is damaged.</exception>
    public static IEnumerable<byte[]> Read(FatVolume volume, uint firstCluster, bool isRoot)
    {
        if (isRoot && firstCluster == 0)
        {
            byte[] root = new byte[volume.RootLength];
            volume.ReadAt(volume.RootStart, root);
            yield return root;
            yield break;
        }

        FatChain chain = new(volume, firstCluster);
        int length = 0;
        for (uint index = 0; chain.Find(index) is var (found, _); index++)
        {
            byte[] cluster = new byte[volume.ClusterSize];
            volume.ReadClusters(found, skipped: 0, cluster);
            yield return cluster;
            length += cluster.Length;
            if (length > MaxLength)
            {
                throw new GuestException($"the directory has more than {MaxLength} bytes, which none may have");
            }
        }
    }

    /// <summary>The label that the root directory has; null if there is none before the damage.</summary>
    public static string? FindLabel(FatVolume volume)
    {
        try
        {
            foreach (ReadOnlyMemory<byte> bytes in Read(volume, volume.RootCluster, isRoot: true).SelectMany(Split))
            {
                FatRecord record = new(bytes.Span);
                if (record.IsEnd || (record.IsLabel && !record.IsDeleted))
                {
                    return record.IsEnd ? null : record.Label;
                }
            }
        }
        catch (GuestException)
        {
            // A listing says what is wrong; the file system opens all the same.
        }

        return null;
    }

    /// <summary>What is in use, with its long name if there is one that belongs to it.</summary>
    public static IEnumerable<T> Entries<T>(IEnumerable<byte[]> records, Maker<T> make)
    {
        char[] longName = new char[(MaxLongName + FatRecord.LongNamePartLength) / FatRecord.LongNamePartLength * FatRecord.LongNamePartLength];
        (int parts, int expected, byte checksum) = (0, 0, 0);
        foreach (ReadOnlyMemory<byte> bytes in records.SelectMany(Split))
        {
            FatRecord record = new(bytes.Span);
            if (record.IsEnd)
            {
                yield break;
            }

            if (record.IsLongName && !record.IsDeleted)
            {
                if (record.IsLastPart)
                {
                    (parts, expected, checksum) = (record.PartNumber, record.PartNumber, record.PartChecksum);
                }

                bool belongs = record.PartNumber == expected && expected > 0 && record.PartChecksum == checksum
                    && expected * FatRecord.LongNamePartLength <= longName.Length;
                expected = belongs ? expected - 1 : -1;
                if (belongs)
                {
                    record.CopyPart(longName.AsSpan(expected * FatRecord.LongNamePartLength));
                }

                continue;
            }

            bool hasLongName = parts > 0 && expected == 0 && record.Checksum == checksum;
            string name = hasLongName ? Trimmed(longName.AsSpan(0, parts * FatRecord.LongNamePartLength)) : record.ShortName;
            (parts, expected) = (0, 0);
            if (!record.IsDeleted && !record.IsLabel && name is not ("." or ".." or ""))
            {
                yield return make(name, record);
            }
        }
    }

    /// <summary>A long name ends with a zero if it doesn't fill its last part.</summary>
    private static string Trimmed(ReadOnlySpan<char> letters)
    {
        int end = letters.IndexOf('\0');
        return new string(end < 0 ? letters : letters[..end]);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Split(byte[] records) =>
        Enumerable.Range(0, records.Length / FatRecord.Length).Select(i => (ReadOnlyMemory<byte>)records.AsMemory(i * FatRecord.Length, FatRecord.Length));
}
