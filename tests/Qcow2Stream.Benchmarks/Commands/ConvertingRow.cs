using System.Security.Cryptography;
using Qcow2Stream.Benchmarks.Processes;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>The disk as a raw file with holes, written where the images are.</summary>
internal sealed class ConvertingRow(DiskToRead disk, CommandSetting setting) : CommandRow($"convert {disk.Name} to raw", setting)
{
    protected override string PeerName => "qemu-img convert";

    public override void Verify()
    {
        SpawnedProcess.Time(Ours());
        using FileStream written = File.OpenRead(Output());
        using FileStream raw = File.OpenRead(disk.Raw());
        WrongResultException.ThrowUnless(
            SHA256.HashData(written).AsSpan().SequenceEqual(SHA256.HashData(raw)), $"{Ours()} does not give the bytes of {raw.Name}");
    }

    public override IEnumerable<ResultRow> Measure()
    {
        ResultRow[] rows = [.. base.Measure()];
        File.Delete(Output());
        return rows;
    }

    protected override ProgramCall Ours() => Qcow2("convert", "--overwrite", disk.Image(), Output());

    protected override ProgramCall Peer() => QemuImg("convert", "-f", "qcow2", "-O", "raw", disk.Image(), Output());

    private string Output() => disk.Image() + ".converted";
}
