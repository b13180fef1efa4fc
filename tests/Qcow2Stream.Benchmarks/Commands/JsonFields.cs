using System.Text.Json.Nodes;
using Qcow2Stream.Benchmarks.Processes;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>Two programs that print an object each.</summary>
internal static class JsonFields
{
    /// <summary>Shows that both give the fields the same values; QEMU leaves out those that are 0.</summary>
    public static void Compare(ProgramCall ours, ProgramCall peer, params ReadOnlySpan<string> names)
    {
        JsonNode ourObject = JsonNode.Parse(ProgramOutput.Read(ours))!;
        JsonNode peerObject = JsonNode.Parse(ProgramOutput.Read(peer))!;
        foreach (string name in names)
        {
            string our = ourObject[name]?.ToJsonString() ?? "0";
            string theirs = peerObject[name]?.ToJsonString() ?? "0";
            WrongResultException.ThrowUnless(our == theirs, $"{ours} says {name} is {our}, where {peer} says {theirs}");
        }
    }
}
