namespace Qcow2Stream.FileSystems.Fat;

/// <summary>Reads directories: records of 32 bytes, of which some hold parts of the long name of the one that follows.</summary>
internal static class FatDirectory
{
    // As long as a directory may be.
    private const int MaxLength = 65536 * FatRecord.Length;

    private const int MaxLongName = 255;

    /// <summary>Makes something of each record that is in use, with its name.</summary>
    public delegate T Maker<T>(string name, FatRecord record);

    /// <summary>All records of a directory.</summary>
    /// <exception cref="GuestException">Its chain of clusters is damaged.</exception>
    public static byte[] Read(FatVolume volume, uint firstCluster, bool isRoot)
    {
        if (isRoot && firstCluster == 0)
        {
            byte[] root = new byte[volume.RootLength];
            volume.ReadAt(volume.RootStart, root);
            return root;
        }

        FatChain chain = new(volume, firstCluster);
        using MemoryStream records = new();
        byte[] cluster = new byte[volume.ClusterSize];
        for (uint index = 0; chain.Find(index) is var (found, _); index++)
        {
            if (records.Length >= MaxLength)
            {
                throw new GuestException($"the directory has more than {MaxLength} bytes, which none may have");
            }

            volume.ReadClusters(found, skipped: 0, cluster);
            records.Write(cluster);
            if (EndsIn(cluster))
            {
                break;
            }
        }

        return records.ToArray();
    }

    /// <summary>What is in use, with its long name if there is one that belongs to it.</summary>
    public static IEnumerable<T> Entries<T>(byte[] records, Maker<T> make)
    {
        char[] longName = new char[(MaxLongName + FatRecord.LongNamePartLength) / FatRecord.LongNamePartLength * FatRecord.LongNamePartLength];
        (int parts, int expected, byte checksum) = (0, 0, 0);
        for (int at = 0; at < records.Length; at += FatRecord.Length)
        {
            FatRecord record = new(records.AsSpan(at));
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

    private static bool EndsIn(byte[] cluster)
    {
        for (int at = 0; at < cluster.Length; at += FatRecord.Length)
        {
            if (new FatRecord(cluster.AsSpan(at)).IsEnd)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A long name ends with a zero if it doesn't fill its last part.</summary>
    private static string Trimmed(ReadOnlySpan<char> letters)
    {
        int end = letters.IndexOf('\0');
        return new string(end < 0 ? letters : letters[..end]);
    }
}
