using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Check;

/// <summary>How QEMU makes an image to be checked, and the options it needs to open it.</summary>
internal sealed record CheckRecipe(string Options, string[] Writes)
{
    private const string Secret = "secret,id=key,data=password";

    private static readonly string[] Usual =
    [
        "write -P 1 0 300k", "write -P 2 1M 100k", "write -P 3 640k 64k", "write -z 2M 128k", "write -P 4 4M 1k", "discard 64k 64k",
    ];

    private static readonly string[] Compressed =
    [
        "write -c -P 1 0 64k", "write -c -P 2 64k 64k", "write -c -P 3 512k 64k", "write -P 4 1M 200k", "write -c -P 5 5M 64k",
    ];

    private static readonly string[] CompressedSmall =
    [
        "write -c -P 1 0 4k", "write -c -P 2 4k 4k", "write -c -P 3 8k 4k", "write -P 4 1M 50k", "write -c -P 5 5M 4k",
    ];

    public static IReadOnlyDictionary<string, CheckRecipe> All { get; } = new Dictionary<string, CheckRecipe>
    {
        ["empty"] = new("compat=1.1", []),
        ["v2"] = new("compat=0.10", Usual) { Snapshots = 1 },
        ["v3"] = new("compat=1.1", Usual),
        ["snapshots"] = new("compat=1.1", Usual) { Snapshots = 3 },
        ["512"] = new("cluster_size=512", Usual) { Snapshots = 1 },
        ["4k"] = new("cluster_size=4k", Usual) { Snapshots = 2 },
        ["2M"] = new("cluster_size=2M", Usual) { Snapshots = 1 },
        ["refcount-1"] = new("refcount_bits=1", Usual),
        ["refcount-2"] = new("refcount_bits=2,cluster_size=4k", Usual) { Snapshots = 1 },
        ["refcount-4"] = new("refcount_bits=4", Usual) { Snapshots = 2 },
        ["refcount-8"] = new("refcount_bits=8,cluster_size=1k", Usual) { Snapshots = 2 },
        ["refcount-32"] = new("refcount_bits=32", Usual) { Snapshots = 1 },
        ["refcount-64"] = new("refcount_bits=64,cluster_size=4k", Usual) { Snapshots = 1 },
        ["zlib"] = new("compat=1.1", Compressed) { Snapshots = 1 },
        ["zlib-4k"] = new("cluster_size=4k", CompressedSmall),
        ["zstd"] = new("compression_type=zstd", Compressed),
        ["extended-l2"] = new("extended_l2=on", [.. Compressed, .. Usual]) { Snapshots = 1 },
        ["data-file"] = new("data_file=data.raw", Usual),
        ["data-file-raw"] = new("data_file=data.raw,data_file_raw=on,extended_l2=on", Usual),
        ["bitmaps"] = new("cluster_size=4k", Usual) { Bitmaps = ["first", "second"] },
        ["luks"] = new("encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10", Usual) { IsEncrypted = true, Snapshots = 1 },
        ["aes"] = new("encrypt.format=aes,encrypt.key-secret=key", Usual) { IsEncrypted = true },
        ["preallocated"] = new("preallocation=metadata", Usual),
        ["lazy"] = new("lazy_refcounts=on", Usual),
    };

    public int Snapshots { get; init; }

    public string[] Bitmaps { get; init; } = [];

    public bool IsEncrypted { get; init; }

    private string[] Secrets => IsEncrypted ? ["--object", Secret] : [];

    /// <summary>Makes the image in a directory, and returns its path.</summary>
    public async Task<string> Make(string directory)
    {
        string path = Path.Combine(directory, "image.qcow2");
        await Create(path);
        await Write(path, Writes);
        for (int i = 1; i <= Snapshots; i++)
        {
            await Qemu.ImgIn(directory, ["snapshot", .. Secrets, "-c", $"point {i}", .. IsEncrypted ? Target(path) : [path]]);
            await Write(path, [$"write -P {10 + i} {i * 96}k 200k", $"write -P {20 + i} {3 + i}M 70k"]);
        }

        foreach (string bitmap in Bitmaps)
        {
            await Qemu.ImgIn(directory, "bitmap", "--add", path, bitmap);
            await Write(path, ["write -P 9 2M 1M"]);
        }

        return path;
    }

    /// <summary>Runs <c>qemu-img check --output=json</c> in the directory of the image, which may name a data file there.</summary>
    public Task<QemuResult> Check(string path) =>
        Qemu.ImgRawIn(Path.GetDirectoryName(path)!, ["check", "--output=json", .. Secrets, .. Target(path)]);

    private async Task Create(string path)
    {
        string[] arguments = ["create", "-q", .. Secrets, "-f", "qcow2", "-o", Options, path, "8M"];

        // QEMU measures how fast the machine is before it derives a key, and on a busy one gives up at times.
        for (int attempt = 0; IsEncrypted && attempt < 10; attempt++)
        {
            if ((await Qemu.ImgRawIn(Path.GetDirectoryName(path)!, arguments)).ExitCode == 0)
            {
                return;
            }
        }

        await Qemu.ImgIn(Path.GetDirectoryName(path)!, arguments);
    }

    private string[] Target(string path) =>
        IsEncrypted ? ["--image-opts", $"driver=qcow2,encrypt.key-secret=key,file.filename={path}"] : ["-f", "qcow2", path];

    private async Task Write(string path, string[] commands)
    {
        if (commands.Length > 0)
        {
            await Qemu.IoWithArguments(
                Path.GetDirectoryName(path)!, [.. Secrets, .. commands.SelectMany(command => new[] { "-c", command }), .. Target(path)]);
        }
    }
}
