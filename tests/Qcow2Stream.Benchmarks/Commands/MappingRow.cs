using Qcow2Stream.Benchmarks.Processes;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>The whole map as JSON.</summary>
internal sealed class MappingRow(string name, Func<string> image, CommandSetting setting) : CommandRow(name, setting)
{
    /// <summary>How many extents there must be; null if that does not matter.</summary>
    public int? Extents { get; init; }

    protected override string PeerName => "qemu-img map";

    public override void Verify()
    {
        MapEntry[] ours = MapEntry.Parse(ProgramOutput.Read(Ours()));
        MapEntry[] peer = [.. MapEntry.Parse(ProgramOutput.Read(Peer())).Select(entry => entry.WithoutHostHoles)];
        WrongResultException.ThrowUnless(ours.AsSpan().SequenceEqual(peer), $"{Ours()} does not print the map that {Peer()} prints");
        WrongResultException.ThrowUnless(Extents is null || Extents == ours.Length, $"{image()} has {ours.Length} extents, not {Extents}");
    }

    protected override ProgramCall Ours() => Qcow2("dump-map", "--output", "json", image());

    protected override ProgramCall Peer() => QemuImg("map", "--output=json", image());
}
