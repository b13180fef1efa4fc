using System.Security.Cryptography;
using Qcow2Stream.Benchmarks.Libqcow;
using Qcow2Stream.Benchmarks.Processes;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>The whole disk, read by libqcow in a process of its own.</summary>
internal sealed class LibqcowRow(DiskToRead disk, CommandSetting setting) : CommandRow($"read {disk.Name} (libqcow)", setting)
{
    private string? _whyNot = LibqcowFile.WhyNot;

    protected override string PeerName => "libqcow";

    protected override string? WhyNot => _whyNot;

    public override void Verify()
    {
        if (_whyNot is not null)
        {
            return;
        }

        try
        {
            using LibqcowFile file = new(disk.Image());
            using FileStream raw = File.OpenRead(disk.Raw());
            WrongResultException.ThrowUnless(
                file.Hash().AsSpan().SequenceEqual(SHA256.HashData(raw)), $"libqcow does not give the bytes of {raw.Name}");
        }
        catch (IOException e)
        {
            _whyNot = e.Message;
        }
    }

    protected override ProgramCall Ours() => Qcow2("read", disk.Image());

    protected override ProgramCall Peer() => new(LibqcowCommand.Program, LibqcowCommand.Name, disk.Image());
}
