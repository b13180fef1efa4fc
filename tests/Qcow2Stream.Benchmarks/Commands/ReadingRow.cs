using System.Security.Cryptography;
using Qcow2Stream.Benchmarks.Processes;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>The whole disk, read and thrown away.</summary>
internal sealed class ReadingRow(DiskToRead disk, CommandSetting setting) : CommandRow($"read {disk.Name}", setting)
{
    protected override string PeerName => "qemu-img convert";

    public override void Verify()
    {
        using FileStream raw = File.OpenRead(disk.Raw());
        WrongResultException.ThrowUnless(
            ProgramOutput.Hash(Ours()).AsSpan().SequenceEqual(SHA256.HashData(raw)), $"{Ours()} does not give the bytes of {raw.Name}");
    }

    protected override ProgramCall Ours() => Qcow2("read", disk.Image());

    protected override ProgramCall Peer() => QemuImg(
        "convert", "-n", "-f", "qcow2", "--target-image-opts", disk.Image(), $"driver=null-co,size={new FileInfo(disk.Raw()).Length}");
}
