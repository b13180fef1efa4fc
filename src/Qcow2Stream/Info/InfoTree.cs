using System.Text.Json.Nodes;

namespace Qcow2Stream.Info;

/// <summary>What is known of an image as the tree of names and values that <c>qemu-img info</c> shows, in its order.</summary>
internal static class InfoTree
{
    public static JsonObject Of(ImageFacts image)
    {
        JsonObject tree = new()
        {
            ["filename"] = image.Path ?? "",
            ["format"] = image.FormatName,
            ["virtual-size"] = image.Length,
            ["actual-size"] = image.AllocatedLength,
            ["dirty-flag"] = image.Header?.IncompatibleFeatures.HasFlag(Qcow2IncompatibleFeatures.Dirty) ?? false,
        };
        if (image.ClusterSize is { } clusterSize)
        {
            tree["cluster-size"] = clusterSize;
        }

        if (image.Encryption is not null)
        {
            tree["encrypted"] = true;
        }

        if (image.Backing?.Text is { } backingFile)
        {
            tree["backing-filename"] = backingFile;
            if (image.FullBackingFile is { } full)
            {
                tree["full-backing-filename"] = full;
            }

            if (image.Backing!.Format is { } backingFormat)
            {
                tree["backing-filename-format"] = backingFormat;
            }
        }

        if (image.Snapshots.Count > 0)
        {
            tree["snapshots"] = new JsonArray([.. image.Snapshots.Select(Snapshot)]);
        }

        if (image.Header is { } header)
        {
            tree["format-specific"] = new JsonObject { ["type"] = "qcow2", ["data"] = Specific(image, header) };
        }

        return tree;
    }

    /// <summary>What only qcow2 has; version 2 has less of it.</summary>
    public static JsonObject Specific(ImageFacts image, Qcow2Header header)
    {
        bool hasFeatures = header.Version >= 3;
        JsonObject data = new()
        {
            ["compat"] = hasFeatures ? "1.1" : "0.10",
            ["compression-type"] = header.CompressionType == Qcow2CompressionType.Zstd ? "zstd" : "zlib",
        };
        if (hasFeatures)
        {
            data["lazy-refcounts"] = header.HasLazyRefcounts;
            if (image.Bitmaps.Count > 0)
            {
                data["bitmaps"] = new JsonArray([.. image.Bitmaps.Select(Bitmap)]);
            }
        }

        data["refcount-bits"] = header.RefcountBits;
        if (image.Encryption is { } encryption)
        {
            data["encrypt"] = Encryption(encryption);
        }

        if (hasFeatures)
        {
            if (header.DataFile is { } dataFile)
            {
                data["data-file"] = dataFile;
            }

            if (header.HasDataFile)
            {
                data["data-file-raw"] = header.IsDataFileRaw;
            }

            data["corrupt"] = header.IncompatibleFeatures.HasFlag(Qcow2IncompatibleFeatures.Corrupt);
            data["extended-l2"] = header.HasExtendedL2;
        }

        return data;
    }

    private static JsonObject Snapshot(Qcow2Snapshot snapshot)
    {
        const ulong NanosecondsPerSecond = 1_000_000_000;
        JsonObject tree = new()
        {
            ["id"] = snapshot.Id,
            ["name"] = snapshot.Name,
            ["vm-state-size"] = snapshot.VmStateSize,
            ["date-sec"] = snapshot.DateSeconds,
            ["date-nsec"] = snapshot.DateNanoseconds,
            ["vm-clock-sec"] = snapshot.VmClockNanoseconds / NanosecondsPerSecond,
            ["vm-clock-nsec"] = snapshot.VmClockNanoseconds % NanosecondsPerSecond,
        };
        if (snapshot.InstructionCount is { } count)
        {
            tree["icount"] = count;
        }

        return tree;
    }

    private static JsonObject Bitmap(BitmapInfo bitmap)
    {
        JsonArray flags = [];
        if (bitmap.IsInUse)
        {
            flags.Add((JsonNode)"in-use");
        }

        if (bitmap.IsEnabled)
        {
            flags.Add((JsonNode)"auto");
        }

        return new JsonObject { ["flags"] = flags, ["name"] = bitmap.Name, ["granularity"] = bitmap.Granularity };
    }

    private static JsonObject Encryption(EncryptionInfo encryption)
    {
        if (encryption.Luks is not { } luks)
        {
            return new JsonObject { ["format"] = "aes" };
        }

        JsonObject tree = new() { ["ivgen-alg"] = luks.IvGenerator };
        if (luks.IvGeneratorHash is { } ivHash)
        {
            tree["ivgen-hash-alg"] = ivHash;
        }

        tree["hash-alg"] = luks.Hash;
        tree["cipher-alg"] = luks.Cipher;
        tree["uuid"] = luks.Uuid;
        tree["format"] = "luks";
        tree["cipher-mode"] = luks.CipherMode;
        tree["slots"] = new JsonArray([.. luks.KeySlots.Select(KeySlot)]);
        tree["payload-offset"] = luks.PayloadOffset;
        tree["master-key-iters"] = luks.MasterKeyIterations;
        return tree;
    }

    private static JsonObject KeySlot(LuksKeySlotInfo slot) => slot.IsActive
        ? new JsonObject
        {
            ["active"] = true,
            ["iters"] = slot.Iterations,
            ["key-offset"] = slot.KeyOffset,
            ["stripes"] = slot.Stripes,
        }
        : new JsonObject { ["active"] = false, ["key-offset"] = slot.KeyOffset };
}
