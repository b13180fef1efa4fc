using Qcow2Stream;

namespace ReadmeExamples;

/// <summary>Lists what the top layer of a chain stores.</summary>
internal static class WalkMap
{
    public static void Run()
    {
        using Qcow2Chain chain = Qcow2Chain.Open("disk.qcow2");
        foreach (MapExtent extent in chain.Map().Where(e => e.Kind == MapKind.Data && e.Depth == 0))
        {
            Console.WriteLine($"{extent.Length} bytes at {extent.Start} are at {extent.HostOffset} in {extent.HostPath}");
        }
    }
}
