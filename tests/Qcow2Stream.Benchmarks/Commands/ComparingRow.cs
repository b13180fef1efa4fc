using Qcow2Stream.Benchmarks.Processes;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>The disk against the same bytes as a raw file.</summary>
internal sealed class ComparingRow(DiskToRead disk, CommandSetting setting) : CommandRow($"compare {disk.Name} with raw", setting)
{
    protected override string PeerName => "qemu-img compare";

    /// <summary>Both end with 0 only if the disks are the same, which is what is shown here.</summary>
    public override void Verify()
    {
        SpawnedProcess.Time(Ours());
        SpawnedProcess.Time(Peer());
    }

    protected override ProgramCall Ours() => Qcow2("compare", disk.Image(), disk.Raw());

    protected override ProgramCall Peer() => QemuImg("compare", "-f", "qcow2", "-F", "raw", disk.Image(), disk.Raw());
}
