using Qcow2Stream.Benchmarks.Processes;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>Next to nothing to do: what starting the program takes.</summary>
internal sealed class StartUpRow(CommandSetting setting) : CommandRow("start-up: info of a small image", setting)
{
    protected override string PeerName => "qemu-img info";

    public override void Verify() => JsonFields.Compare(
        Qcow2("info", "--output", "json", Images.Small()),
        QemuImg("info", "--output=json", Images.Small()),
        "virtual-size", "cluster-size", "format", "actual-size");

    protected override ProgramCall Ours() => Qcow2("info", Images.Small());

    protected override ProgramCall Peer() => QemuImg("info", Images.Small());
}
