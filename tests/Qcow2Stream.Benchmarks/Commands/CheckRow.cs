using Qcow2Stream.Benchmarks.Processes;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>Every refcount against everything that is reachable.</summary>
internal sealed class CheckRow(string name, CommandSetting setting) : CommandRow(name, setting)
{
    protected override string PeerName => "qemu-img check";

    public override void Verify() => JsonFields.Compare(
        Qcow2("check", "--output", "json", Images.Preallocated()),
        QemuImg("check", "--output=json", Images.Preallocated()),
        "image-end-offset", "total-clusters", "allocated-clusters", "check-errors", "corruptions", "leaks");

    protected override ProgramCall Ours() => Qcow2("check", Images.Preallocated());

    protected override ProgramCall Peer() => QemuImg("check", Images.Preallocated());
}
