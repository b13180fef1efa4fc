using Qcow2Stream.Codecs;
using Qcow2Stream.Format;

namespace Qcow2Stream;

/// <summary>How a chain is opened. Immutable once made; one instance may open any number of chains.</summary>
public sealed record Qcow2OpenOptions
{
    /// <summary>
    /// Which of the files that an image names are opened. Null, the default, means
    /// <see cref="FollowPolicy.SameDirectory"/> where the top image is opened by path or address and
    /// <see cref="FollowPolicy.None"/> where it is opened from a stream or a caller's own <see cref="HostFile"/>.
    /// </summary>
    public FollowPolicy? Follow { get; init; }

    /// <summary>
    /// The format of the top image; null, the default, lets the first four bytes decide. Set it to
    /// <see cref="ImageFormat.Raw"/> for a raw disk that a guest could write to: otherwise a guest that writes a qcow2
    /// header into its first sector decides how its disk is read.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is <see cref="ImageFormat.Other"/>: such images are read only as backing files.</exception>
    public ImageFormat? Format
    {
        get;
        init => field = value is null or ImageFormat.Raw or ImageFormat.Qcow2 or ImageFormat.Qcow1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "Only raw, qcow2 and qcow can be the top image.");
    }

    /// <summary>
    /// The top image's external data file, instead of the name that the image records; needed if it records none.
    /// Null, the default, takes the recorded name, under <see cref="Follow"/>.
    /// </summary>
    public string? DataFile { get; init; }

    /// <summary>
    /// The id or name of an internal snapshot of the top image, to be opened instead of the active disk, at the
    /// snapshot's own disk size. Null, the default, opens the active disk.
    /// </summary>
    public string? Snapshot { get; init; }

    /// <summary>
    /// Gives the passphrase of an encrypted image, once per layer, when data is first read from it; maps and information
    /// need none. The array is wiped after use. Null, the default, or a null array, refuses.
    /// </summary>
    public Func<EncryptedImage, byte[]?>? Passphrase { get; init; }

    /// <summary>
    /// The most rounds of key derivation that a passphrase for one image may take, if it is wrong: those of all active key slots, and
    /// of the digest that is compared after each, for each block of the derived key as long as the hash. Judged before the first.
    /// Default: 40 million, a quarter of a minute at most with common hashes: enough for eight slots of two million rounds each with a key of
    /// two blocks; a crafted header may ask for hundreds of billions.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int MaxKeyIterations
    {
        get;
        init => field = AtLeast(value, 1);
    } = 40_000_000;

    /// <summary>
    /// Reads damaged images as QEMU does: tables, clusters and tails that lie past the end of their file are zeros.
    /// False, the default, makes that an error, so that an interrupted download is not taken for an empty disk.
    /// </summary>
    public bool Lenient { get; init; }

    /// <summary>
    /// Receives every spot that <see cref="Lenient"/> fills in, each time it is read or mapped; from any thread, and
    /// from several at once. An exception that it throws ends the read.
    /// </summary>
    public Action<ImageDamage>? OnDamage { get; init; }

    /// <summary>
    /// Leaves the stream or the <see cref="HostFile"/> that an image is opened from to its caller: it is closed neither with what
    /// was opened, nor if opening fails. Default: false.
    /// </summary>
    public bool LeaveOpen { get; init; }

    /// <summary>How images on web servers are read; null, the default, for the defaults of <see cref="HttpFileOptions"/>.</summary>
    public HttpFileOptions? Http { get; init; }

    /// <summary>
    /// The largest number of layers, the top one included; 1 or more. Default: 64, far above what tools make
    /// (every layer costs a look-up per read), low enough to open at once, whatever a crafted set of files says.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int MaxChainDepth
    {
        get;
        init => field = AtLeast(value, 1);
    } = 64;

    /// <summary>
    /// The largest L1 table, in bytes, of the disk or of a snapshot. Default: 32 MiB, QEMU's own limit, which describes 2 EiB with clusters of
    /// 2 MiB. The table is not held in memory as a whole, see <see cref="MetadataCacheBytes"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxL1TableBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 32 << 20;

    /// <summary>
    /// The most header extensions an image may have. Default: 65 536. The specification defines five; each takes a few
    /// dozen bytes of memory and at least 8 of the first cluster, which may hold a quarter of a million.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxHeaderExtensions
    {
        get;
        init => field = AtLeast(value, 0);
    } = 65_536;

    /// <summary>The longest name of a backing file, in bytes. Default: 1023, the specification's and QEMU's own limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxBackingFileNameBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 1023;

    /// <summary>
    /// The longest name of a backing file's format, in bytes. Default: 15, QEMU's own limit; no format that it knows
    /// has a longer one.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxBackingFormatBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 15;

    /// <summary>The longest name of an external data file, in bytes. Default: 4095, the longest path of Linux, and QEMU's own limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxDataFileNameBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 4095;

    /// <summary>
    /// How deep the objects of a <c>json:</c> name may be nested. Default: 16; names that are understood need 2, and
    /// every level costs stack.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 1 to 1000.</exception>
    public int MaxJsonDepth
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1000);
            field = AtLeast(value, 1);
        }
    } = 16;

    /// <summary>
    /// The largest window of a compressed cluster of type zstd, in bytes; one of the size of a cluster is always allowed.
    /// Default: 128 MiB, libzstd's and so QEMU's own limit. A window takes no memory here: the cluster itself is it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxZstdWindowBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = ZstdDecoder.DefaultMaxWindow;

    /// <summary>
    /// The most memory that the cached L2 and L1 tables of one layer take, in bytes, with those of a map while it
    /// is written. Default: 8 MiB, which with clusters of 64 KiB covers at least 32 GiB of disk. At least two pieces of
    /// 64 KiB are always kept.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int LayerCacheBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 8 << 20;

    /// <summary>
    /// The most memory that the cached tables of all layers take together, in bytes. Default: 64 MiB. Long chains
    /// share it equally.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MetadataCacheBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 64 << 20;

    /// <summary>
    /// The most memory that decompressed clusters kept for the next read take, in bytes, over the whole chain.
    /// Default: 8 MiB. At least three clusters are always kept.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int DecompressedCacheBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 8 << 20;

    /// <summary>The most internal snapshots an image may have. Default: 65 536, QEMU's own limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxSnapshots
    {
        get;
        init => field = AtLeast(value, 0);
    } = 65_536;

    /// <summary>The largest snapshot table, in bytes. Default: 64 MiB, QEMU's own limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxSnapshotTableBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 64 << 20;

    /// <summary>The most persistent bitmaps an image may have. Default: 65 535, QEMU's own limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxBitmaps
    {
        get;
        init => field = AtLeast(value, 0);
    } = 65_535;

    /// <summary>
    /// The most memory that an <see cref="ImageCheck"/> uses to count references, in bytes. It takes 8 bytes for every
    /// 4096 clusters of the file, 8 KiB more for those among which anything refers to one, and 128 for every L2 table. Default: 256 MiB,
    /// enough for 8 TiB of clusters of 64 KiB, all in use.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxCheckBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 256 << 20;

    /// <summary>
    /// The most bytes of tables that an <see cref="ImageCheck"/> reads. Default: 16 GiB, the tables of a full image of 100 TiB with clusters
    /// of 64 KiB. Besides, it never reads more than sixteen times what the file stores on its host.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long MaxCheckTableBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 16L << 30;

    /// <summary>
    /// The most findings that an <see cref="ImageCheck"/> lists; the last one says so. What is found after that is counted only, and each such finding
    /// counts as 512 bytes of tables (<see cref="MaxCheckTableBytes"/>): an image of a few MB can hold millions. Default: 100 000.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxCheckFindings
    {
        get;
        init => field = AtLeast(value, 1);
    } = 100_000;

    /// <summary>
    /// How much of an image's map an <see cref="ImageInspection"/> looks at: the bytes of tables that it reads, over all layers, where each
    /// extent counts as 512. Default: 4 GiB, eight million extents, or the tables of a full image of 32 TiB with clusters of 64 KiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long MaxInspectionBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 4L << 30;

    /// <summary>
    /// The most spots of damage in an image's map that an <see cref="ImageInspection"/> reports. Default: 20, enough to see what kind of
    /// damage it is; an image can hold millions of broken entries.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxInspectionSpots
    {
        get;
        init => field = AtLeast(value, 0);
    } = 20;

    /// <summary>
    /// The most memory, in bytes, that DiscUtils takes for the tables of an image in another format (vpc, vhdx, vdi) and of the
    /// files that it names. What they say of their tables is added up before DiscUtils reads them. Default: 256 MiB: a VHD
    /// of any size takes 16 MiB, a VHDX 128 bytes for each block that is stored.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxForeignTableBytes
    {
        get;
        init => field = AtLeast(value, 0);
    } = 256 << 20;

    internal static Qcow2OpenOptions Default { get; } = new();

    internal HeaderLimits HeaderLimits => new(
        MaxL1TableBytes, MaxHeaderExtensions, MaxBackingFileNameBytes, MaxBackingFormatBytes, MaxDataFileNameBytes);

    internal Action<ImageDamage>? DamageHandler => Lenient ? OnDamage ?? (static _ => { }) : null;

    private static int AtLeast(int value, int minimum)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum);
        return value;
    }
}
