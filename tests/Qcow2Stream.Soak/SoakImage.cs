using System.Security.Cryptography;
using System.Text;

namespace Qcow2Stream.Soak;

/// <summary>One committed image: the chain over it that all readers share for now, and the bytes of its disk.</summary>
internal sealed class SoakImage : IDisposable
{
    // What `qemu-img convert` makes of them.
    private const string Secret = "32D4F7D1F4E6886130825E5EC37E13F093A7B343C50D33A970E6C2FBB5B815C3";
    private static readonly (string Name, string Hash)[] Pinned =
    [
        ("v2", "ABE3E897897E256979AE1D5D849C421035BD2B13BCE1E4A870B5E0676F8E67C3"),
        ("v3-512", "2523D097B1D0AA9D75888BFDE4567D07F0D3901D2418E212E6BD44469A223984"),
        ("zlib", "E48DC45B37DCDF331580A71CCF91416B2F585E43220AAD1B5B2B783D8E79F012"),
        ("zstd", "E48DC45B37DCDF331580A71CCF91416B2F585E43220AAD1B5B2B783D8E79F012"),
        ("extended-l2", "BBCE3E43C6F6370C9195F1EAE17EA9610592040B9A8C977E157669DD1432D3AE"),
        ("chain-3", "FFFB387BD15628896F6E13E1E35F0636A7A7AE19E2003A73FD850A7920525DC4"),
        ("data-file", "B469673155B6C0B2A6A13453CE0B348EF47FE53438BD13287A27F6E12DD0F13C"),
        ("snapshots", "07E9AC4922ED384BCEDD0019131905DF4C2E63DE0F65228B2459B31D82E2C650"),
        ("odd-size", "C13BFC5E1A900F6EA7F520C7CAA4E314AD7AB2885E82F49069D6BD292D257853"),
        ("aes", Secret),
        ("luks", Secret),
    ];

    private readonly string _path;
    private readonly bool _withoutCaches;
    private volatile Qcow2Chain _chain;

    private SoakImage(string path, string hash, bool withoutCaches)
    {
        _path = path;
        _withoutCaches = withoutCaches;
        _chain = Qcow2Chain.Open(path, Options);
        Disk = new byte[_chain.Length];
        _chain.ReadAt(0, Disk);
        if (Convert.ToHexString(SHA256.HashData(Disk)) != hash)
        {
            throw new InvalidDataException($"{path}: the disk is not the one that was pinned");
        }
    }

    public string Name => Path.GetFileName(_path);

    public byte[] Disk { get; }

    /// <summary>Open when it was asked for; others may have closed it since.</summary>
    public Qcow2Chain Chain => _chain;

    /// <summary>A key takes long to derive, and each chain does so anew.</summary>
    public TimeSpan Lifetime => TimeSpan.FromMilliseconds(Name == "luks.qcow2" ? 2000 : 40);

    private Qcow2OpenOptions Options => new()
    {
        Passphrase = _ => Encoding.UTF8.GetBytes("open sesame"),
        LayerCacheBytes = _withoutCaches ? 0 : 8 << 20,
        DecompressedCacheBytes = _withoutCaches ? 0 : 8 << 20,
    };

    /// <summary>Opens every image, from copies in a directory, with caches and without.</summary>
    public static SoakImage[] OpenAll(TempDirectory directory)
    {
        foreach (string file in Directory.EnumerateFiles(Repository.Image("")).Where(file => !file.EndsWith(".gz", StringComparison.Ordinal)))
        {
            File.Copy(file, directory.File(Path.GetFileName(file)));
        }

        Repository.UnpackImage("luks.qcow2", directory);
        return
        [
            .. Pinned.Select(image => new SoakImage(directory.File(image.Name + ".qcow2"), image.Hash, withoutCaches: false)),
            .. Pinned.Where(image => image.Hash != Secret)
                .Select(image => new SoakImage(directory.File(image.Name + ".qcow2"), image.Hash, withoutCaches: true)),
        ];
    }

    /// <summary>Opens another chain in place of the one that is shared, and closes that below its readers.</summary>
    public async Task ReopenAsync(bool async)
    {
        Qcow2Chain last = _chain;
        _chain = async ? await Qcow2Chain.OpenAsync(_path, Options) : Qcow2Chain.Open(_path, Options);
        last.Dispose();
    }

    /// <summary>Opens one more and gives up on it, now or soon.</summary>
    public async Task OpenAndCancelAsync(TimeSpan after)
    {
        using CancellationTokenSource source = new(after);
        (await Qcow2Chain.OpenAsync(_path, Options, source.Token)).Dispose();
    }

    public void Dispose() => _chain.Dispose();
}
