using System.Security.Cryptography;
using Qcow2Stream.Benchmarks.Processes;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>The whole disk, copied by nbdcopy to nowhere from a server that runs already: ours, and QEMU's.</summary>
internal sealed class ServingRow(DiskToRead disk, CommandSetting setting) : CommandRow($"nbdcopy of {disk.Name}", setting)
{
    private string _ours = "";
    private string _peer = "";

    protected override string PeerName => "qemu-nbd";

    protected override string? WhyNot { get; } = NbdServer.WhyNot;

    public override void Verify()
    {
        if (WhyNot is null)
        {
            using NbdServer ours = StartOurs();
            using FileStream raw = File.OpenRead(disk.Raw());
            WrongResultException.ThrowUnless(
                ProgramOutput.Hash(new ProgramCall("nbdcopy", ours.Uri, "-")).AsSpan().SequenceEqual(SHA256.HashData(raw)),
                $"what {ours.Call} serves is not the bytes of {raw.Name}");
        }
    }

    public override IEnumerable<ResultRow> Measure()
    {
        if (WhyNot is not null)
        {
            return base.Measure();
        }

        using NbdServer ours = StartOurs();
        using NbdServer peer = new(socket => new ProgramCall(
            "qemu-nbd", "--read-only", "--persistent", "--shared=16", "--format=qcow2", $"--socket={socket}", disk.Image()));
        (_ours, _peer) = (ours.Uri, peer.Uri);
        return [.. base.Measure()];
    }

    protected override ProgramCall Ours() => new("nbdcopy", _ours, "null:");

    protected override ProgramCall Peer() => new("nbdcopy", _peer, "null:");

    private NbdServer StartOurs() => new(socket => Qcow2("serve", disk.Image(), "--socket", socket));
}
