using System.Text;
using Qcow2Stream.Tests.Crypto;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Layers;
using Qcow2Stream.Tests.Snapshots;

namespace Qcow2Stream.Tests.Faults;

/// <summary>An image, with the files that it names and what it takes to open it.</summary>
internal sealed record FaultyImage(string Top, IReadOnlyDictionary<string, byte[]> Files)
{
    private static readonly string[] Plain =
    [
        "v2", "v3-512", "v3-64k", "zlib", "zstd", "zero", "odd-size", "extended-l2", "empty", "snapshots", "bitmaps",
    ];

    private static readonly Lazy<FaultyImage[]> Made = new(() => [.. Make()]);

    public static TheoryData<string> Names => [.. Plain, "chain-3", "no-format-raw", "data-file", "aes", "luks", "qcow1", "raw"];

    public Qcow2OpenOptions Options { get; init; } = new();

    /// <summary>Whether opening it takes options, and not its name alone.</summary>
    public bool NeedsOptions { get; init; }

    public static FaultyImage Named(string name) => Made.Value.Single(image => Path.GetFileNameWithoutExtension(image.Top) == name);

    public FaultyHost Host(int maxRead = int.MaxValue, bool isSlow = false) => new(Files) { MaxRead = maxRead, IsSlow = isSlow };

    /// <summary>Opens it from a stream, through a resolver: no file has a name.</summary>
    public Qcow2Chain OpenStreams(FaultyHost host) => Qcow2Chain.Open(host.Open(Top), WithResolver(host));

    /// <inheritdoc cref="OpenStreams"/>
    public Task<Qcow2Chain> OpenStreamsAsync(FaultyHost host, CancellationToken cancellationToken = default) =>
        Qcow2Chain.OpenAsync(host.Open(Top), WithResolver(host), cancellationToken);

    /// <summary>Opens it by name, where that is enough.</summary>
    public Qcow2Chain OpenNamed(FaultyHost host) => Qcow2Chain.Open(host, Top);

    private Qcow2OpenOptions WithResolver(FaultyHost host) =>
        Options with { Follow = FollowPolicy.FromResolver(named => host.Open(named.Name)) };

    private static IEnumerable<FaultyImage> Make()
    {
        foreach (string name in Plain)
        {
            yield return Committed(name + ".qcow2");
        }

        yield return Committed("chain-3.qcow2", "chain-2.qcow2", "chain-1.qcow2", "chain-0.raw");
        yield return Committed("no-format-raw.qcow2", "chain-0.raw");
        yield return Committed("data-file.qcow2", "data-file.raw");
        Qcow2OpenOptions secret = new() { Passphrase = _ => Encoding.UTF8.GetBytes(PinnedImages.Passphrase) };
        yield return Committed("aes.qcow2") with { Options = secret, NeedsOptions = true };
        yield return new("luks.qcow2", Single("luks.qcow2", MakeLuks()))
        {
            Options = new() { Passphrase = _ => [.. LuksFixture.Passphrase] },
            NeedsOptions = true,
        };

        // Its disk is shorter than the raw file below it.
        Qcow1Image old = Qcow1Image.Make("below.raw");
        yield return new("qcow1.img", new Dictionary<string, byte[]>
        {
            ["qcow1.img"] = old.Bytes,
            ["below.raw"] = GuestDisk.Filled(50_000, 0x6B),
        });
        yield return new("raw.img", Single("raw.img", File.ReadAllBytes(Repository.Image("chain-0.raw")))) { NeedsOptions = true };
    }

    /// <summary>The committed one takes long to unlock, and it is unlocked a thousand times.</summary>
    private static byte[] MakeLuks()
    {
        LuksFixture luks = new("aes", 32, "xts-plain64", "sha256");
        byte[] header = luks.Bytes[..(int)luks.Parse().PayloadOffset];
        byte[] image = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = 60_000,
            CryptMethod = 2,
            Extensions = [new(HeaderExtension.FullDiskEncryption, new byte[16])],
            Clusters = [GuestClusters.Data(0, 0x41, count: 3), GuestClusters.Zero(4), GuestClusters.Data(7, 0x42), GuestClusters.Data(14, 0x43)],
        }.Build().ToBytes();
        int start = (image.Length + 4095) & -4096;
        int extension = image.AsSpan().IndexOf<byte>([0x05, 0x37, 0xBE, 0x77]);
        image.WriteU64(extension + 8, (ulong)start).WriteU64(extension + 16, (ulong)header.Length);
        return [.. image, .. new byte[start - image.Length], .. header];
    }

    private static FaultyImage Committed(params string[] names) =>
        new(names[0], names.ToDictionary(name => name, name => File.ReadAllBytes(Repository.Image(name))));

    private static Dictionary<string, byte[]> Single(string name, byte[] content) => new() { [name] = content };
}
