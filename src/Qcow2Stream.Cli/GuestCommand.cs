using System.CommandLine;

namespace Qcow2Stream.Cli;

/// <summary>A command that looks into the guest's file systems, whose readers aren't all ours.</summary>
internal sealed class GuestCommand(string name, string description) : Command(name, description);
