using System.Buffers.Binary;
using Qcow2Stream.Tests.Crypto;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Differential;

/// <summary>A planned chain, made by QEMU's tools in a directory of its own, and what they say of it.</summary>
internal sealed class QemuChain(ChainPlan plan) : IDisposable
{
    /// <summary>Stands in a plan for the directory, which is not known before the chain is made.</summary>
    public const string DirectoryMark = "$PWD";

    private const uint BackingFormatExtension = 0xE2792ACA;
    private const int SizeField = 24;
    private const int FirstExtension = 72;
    private const int MaxHeader = 512;

    private readonly TempDirectory _directory = new();

    private static string[] Secret { get; } = ["--object", $"secret,id=key,data={ChainPlan.Passphrase}"];

    public ChainPlan Plan => plan;

    public string Directory => _directory.Path;

    public string TopPath => _directory.File(plan.Top.Name);

    private string[] TopArguments => plan.Top.Encryption is null
        ? ["-f", plan.Top.Format, TopPath]
        : [.. Secret, "--image-opts", $"driver=qcow2,encrypt.key-secret=key,file.filename={TopPath}"];

    /// <summary>Makes the files, from the bottom of the chain up.</summary>
    public async Task MakeAsync()
    {
        _directory.Write(ChainPlan.NoiseFile, plan.Noise());
        _directory.Write(ChainPlan.TextFile, plan.Text());
        foreach ((int index, LayerPlan layer) in plan.Layers.Index())
        {
            await MakeAsync(layer, index == 0 ? null : plan.Layers[index - 1]);
        }
    }

    /// <summary>The guest's disk as <c>qemu-img convert</c> writes it.</summary>
    public async Task<byte[]> ConvertAsync()
    {
        string path = _directory.File("converted.bin");
        await Qemu.ImgIn(Directory, ["convert", .. TopArguments, "-O", "raw", path]);
        return await File.ReadAllBytesAsync(path);
    }

    /// <summary>The disk as it was at the top layer's snapshot, with whatever QEMU writes past its end.</summary>
    public async Task<byte[]> ConvertSnapshotAsync()
    {
        string path = _directory.File("snapshot.bin");
        await Qemu.ImgIn(Directory, ["convert", "-l", $"snapshot.name={ChainPlan.SnapshotName}", .. TopArguments, "-O", "raw", path]);
        return await File.ReadAllBytesAsync(path);
    }

    public Task<string> MapJsonAsync() => Qemu.ImgIn(Directory, ["map", "--output=json", .. TopArguments]);

    public Task<string> MapHumanAsync() => Qemu.ImgIn(Directory, ["map", .. TopArguments]);

    public void Dispose() => _directory.Dispose();

    private async Task MakeAsync(LayerPlan layer, LayerPlan? backing)
    {
        string path = _directory.File(layer.Name);
        if (layer.IsRaw)
        {
            using FileStream file = File.Create(path);
            file.SetLength(layer.Length);
        }
        else
        {
            string[] backingArguments = backing is null
                ? []
                : ["-b", layer.BackingName!.Replace(DirectoryMark, Directory, StringComparison.Ordinal), "-F", backing.Format];
            string[] create =
                ["create", "-q", "-f", "qcow2", .. layer.Encryption is null ? [] : Secret, "-o", layer.Options, .. backingArguments, layer.Name, $"{layer.Length}"];
            await (layer.Encryption == "luks" ? LuksByQemu.WriteKeySlotsIn(Directory, create) : Qemu.ImgIn(Directory, create));
        }

        await RunAsync(layer, layer.Commands.Take(layer.SnapshotAfter ?? 0));
        if (layer.SnapshotAfter is not null)
        {
            string[] image = layer.Encryption is null
                ? [layer.Name]
                : [.. Secret, "--image-opts", $"driver=qcow2,encrypt.key-secret=key,file.filename={layer.Name}"];
            await Qemu.ImgIn(Directory, ["snapshot", "-c", ChainPlan.SnapshotName, .. image]);
        }

        await RunAsync(layer, layer.Commands.Skip(layer.SnapshotAfter ?? 0));
        if (!layer.IsRaw)
        {
            Finish(path, layer);
        }
    }

    private async Task RunAsync(LayerPlan layer, IEnumerable<string> commands)
    {
        if (commands.Any())
        {
            // qemu-io ignores discards unless told, and flushes unless told.
            string key = layer.Encryption is null ? "" : """ "encrypt.key-secret":"key", """;
            string node = $$"""json:{"file":{"driver":"file","filename":"{{layer.Name}}"},"driver":"{{layer.Format}}",{{key}}"cache":{"no-flush":true},"discard":"unmap"}""";
            string[] arguments = [.. layer.Encryption is null ? [] : Secret, .. commands.SelectMany(c => new[] { "-c", c }), node];
            await Qemu.IoWithArguments(Directory, arguments);
        }
    }

    private static void Finish(string path, LayerPlan layer)
    {
        // Writing every byte fills the host file's holes. Where a file takes much less space than its refcounts
        // say, QEMU takes it for preallocated and looks for holes inside of clusters.
        byte[] image = File.ReadAllBytes(path);
        if (!layer.RecordsBackingFormat)
        {
            BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(FindBackingFormat(image)), 0x6E6F6E65);
        }

        BinaryPrimitives.WriteInt64BigEndian(image.AsSpan(SizeField), layer.Length + layer.SizeExcess);
        File.WriteAllBytes(path, image);
    }

    /// <summary>The extension is the one place in the header where its number stands; a type that nobody knows is ignored.</summary>
    private static int FindBackingFormat(byte[] image)
    {
        Span<byte> type = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(type, BackingFormatExtension);
        int index = image.AsSpan(FirstExtension, MaxHeader - FirstExtension).IndexOf(type);
        return index >= 0 ? FirstExtension + index : throw new InvalidOperationException("The header has no backing format.");
    }
}
