using Qcow2Stream.Crypto.Argon;

namespace Qcow2Stream.Crypto.Luks;

/// <summary>Reads one key slot of a LUKS2 volume, or one digest (LUKS2 On-Disk Format Specification, sections 3.2 and 3.4).</summary>
/// <param name="start">Where key material may begin, in bytes from the start of the volume: after both headers.</param>
/// <param name="end">What it must not reach: the data.</param>
internal sealed class Luks2KeySlotParser(long start, long end)
{
    private const int SaltLength = 32;

    // What LUKS1 had, which volumes that were converted keep; the longest hash.
    private const int LeastDigest = 20;
    private const int MostDigest = 64;

    /// <summary>Reads a digest, which shows whether a key is the right one.</summary>
    /// <exception cref="CryptoFormatException">The metadata are broken.</exception>
    /// <exception cref="CryptoUnsupportedException">It is of a kind that isn't known.</exception>
    public static LuksDigest ReadDigest(Luks2Node digest)
    {
        Expect(digest, "digest", "pbkdf2");
        return new LuksDigest(ReadPbkdf2(digest), digest["digest"].Bytes(LeastDigest, MostDigest));
    }

    /// <summary>Reads a key slot.</summary>
    /// <param name="index">Its number.</param>
    /// <param name="slot">The slot.</param>
    /// <param name="keyLength">The length of the key that it holds, in bytes.</param>
    /// <param name="digest">What shows whether that is the right one.</param>
    /// <exception cref="CryptoFormatException">The metadata are broken.</exception>
    /// <exception cref="CryptoUnsupportedException">It asks for something that isn't handled here.</exception>
    public LuksKeySlot Read(int index, Luks2Node slot, int keyLength, LuksDigest digest)
    {
        Expect(slot, "key slot", "luks2");
        Luks2Node split = slot["af"];
        Expect(split, "key split", "luks1");
        Luks2Node stripes = split["stripes"];
        if (stripes.Number != AntiForensic.Stripes)
        {
            throw stripes.Wrong($"{AntiForensic.Stripes}");
        }

        Luks2Node area = slot["area"];
        Expect(area, "key slot area", "raw");
        return new LuksKeySlot(
            index,
            ReadDerivation(slot["kdf"]),
            CipherSpec.Parse(area["encryption"].Text, area["key_size"].Number),
            KeyHash.Find(split["hash"].Text),
            keyLength,
            ReadOffset(area, AntiForensic.MaterialLength(keyLength)),
            digest);
    }

    private static KeyDerivation ReadDerivation(Luks2Node kdf) => kdf["type"].Text switch
    {
        "pbkdf2" => ReadPbkdf2(kdf),
        "argon2i" => ReadArgon2(kdf, Argon2Kind.Argon2i),
        "argon2id" => ReadArgon2(kdf, Argon2Kind.Argon2id),
        string type => throw Unknown(kdf, "key derivation", type, "pbkdf2, argon2i and argon2id are"),
    };

    private static Pbkdf2Derivation ReadPbkdf2(Luks2Node node) =>
        new(KeyHash.Find(node["hash"].Text), AtLeastOne(node["iterations"]), node["salt"].Bytes(SaltLength, SaltLength));

    private static Argon2Derivation ReadArgon2(Luks2Node kdf, Argon2Kind kind)
    {
        Luks2Node lanes = kdf["cpus"];
        if (lanes.Number is 0 or > Argon2Parameters.MaxLanes)
        {
            throw lanes.Wrong($"from 1 to {Argon2Parameters.MaxLanes}");
        }

        Luks2Node memory = kdf["memory"];
        uint leastMemory = lanes.Number * Argon2Parameters.MinMemoryPerLane;
        if (memory.Number < leastMemory)
        {
            throw memory.Wrong($"at least {leastMemory}, for {lanes.Number} cpus");
        }

        return new Argon2Derivation(
            new Argon2Parameters(kind, AtLeastOne(kdf["time"]), memory.Number, lanes.Number), kdf["salt"].Bytes(SaltLength, SaltLength));
    }

    private long ReadOffset(Luks2Node area, int materialLength)
    {
        Luks2Node size = area["size"];
        if (size.LongNumber < (ulong)materialLength)
        {
            throw size.Wrong($"at least {materialLength}, the length of the key material");
        }

        Luks2Node offset = area["offset"];
        return offset.LongNumber >= (ulong)start && offset.LongNumber <= (ulong)end && size.LongNumber <= (ulong)end - offset.LongNumber
            ? (long)offset.LongNumber
            : throw offset.Wrong($"such that its {size.LongNumber} bytes lie between the headers, which end at {start}, and the data, which starts at {end}");
    }

    private static uint AtLeastOne(Luks2Node node) => node.Number >= 1 ? node.Number : throw node.Wrong("at least 1");

    private static void Expect(Luks2Node node, string what, string known)
    {
        string type = node["type"].Text;
        if (type != known)
        {
            throw Unknown(node, what, type, $"{known} is");
        }
    }

    private static CryptoUnsupportedException Unknown(Luks2Node node, string what, string type, string known) =>
        new($"LUKS2 {what} {type}", $"{node.Path}.type is {type}, which is not known; {known}");
}
