namespace Qcow2Stream;

/// <summary>How a <see cref="LuksVolume"/> is opened. Immutable once made; one instance may open any number of volumes.</summary>
public sealed record LuksOptions
{
    /// <summary>
    /// Gives the passphrase, or the bytes of a key file, once per call of <see cref="LuksVolume.Open"/>. The array is wiped after use. Null, the default, or
    /// a null array, refuses.
    /// </summary>
    public Func<EncryptedVolume, byte[]?>? Passphrase { get; init; }

    /// <summary>
    /// The most work that a passphrase for one volume may take, if it is wrong, over all its key slots and the digest that is compared after each. A
    /// round of PBKDF2 counts as one, for each block of the derived key as long as the hash; so does a KiB of memory that Argon2 fills, in each of its
    /// passes. Judged before the first. Default: 40 million, half a minute or so at most: enough for nine slots of 1 GiB and four passes each; a crafted
    /// header may ask for a hundred trillion times as much.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public long MaxKeyIterations
    {
        get;
        init => field = AtLeast(value, 1);
    } = 40_000_000;

    /// <summary>
    /// The most memory that a key slot may ask Argon2 to fill, in bytes; one is tried at a time. Judged before any is allocated, outside of the garbage
    /// collector's heap. Default: 1 GiB, the most that cryptsetup chooses unless it is told to.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long MaxKeyMemory
    {
        get;
        init => field = AtLeast(value, 0);
    } = 1L << 30;

    private static long AtLeast(long value, long minimum)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum);
        return value;
    }
}
