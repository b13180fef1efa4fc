using Qcow2Stream;

namespace ReadmeExamples;

/// <summary>Writes a disk as a raw file.</summary>
internal static class Convert
{
    public static void Run()
    {
        using Qcow2Chain chain = Qcow2Chain.Open("disk.qcow2");
        using FileStream raw = File.Create("disk.raw");
        chain.CopySparseTo(raw);
    }
}
