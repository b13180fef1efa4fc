using System.Text.Json.Nodes;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Check;

/// <summary>Holds a check by the library against one by qemu-img.</summary>
internal static class QemuComparison
{
    /// <summary>Compares, and returns how far: every way of not being equal has a reason that is asserted here.</summary>
    public static async Task<QemuVerdict> Compare(CheckRecipe recipe, string path, string context)
    {
        QemuResult qemu = await recipe.Check(path);
        CheckResult ours = CheckResult.Of(path);
        string both = $"{context}\n--- qemu-img: exit code {qemu.ExitCode}\n{qemu.Output}{qemu.Error}\n--- ours: {ours}";
        if (qemu.Output.Length == 0)
        {
            // It could not open the image, or gave the check up. We may have looked further, but found something.
            Assert.True(qemu.ExitCode == 1 && ours.ExitCode != 0, both);
            return qemu.Error.Contains("Check failed", StringComparison.Ordinal) ? QemuVerdict.QemuGaveUp : QemuVerdict.QemuRefused;
        }

        if (ours.Summary is not { } summary)
        {
            // QEMU reads zeros where the L1 table should be.
            Assert.True(ours.Refusal!.Message.Contains("does not lie inside the file", StringComparison.Ordinal), both);
            return QemuVerdict.WeRefused;
        }

        if (ours.Findings.Any(f => f.Severity == CheckSeverity.Error && f.Kind != CheckFindingKind.RefcountBlock))
        {
            // QEMU reads zeros where the rest of the snapshot table should be.
            Assert.True(ours.Findings.Any(f => f.Message == "snapshot table: the file ends inside the snapshot table"), both);
            return QemuVerdict.WeRefused;
        }

        JsonNode json = JsonNode.Parse(qemu.Output)!;
        long Field(string name) => json[name]?.GetValue<long>() ?? 0;
        long unseen = ours.Findings.LongCount(f => f.Kind == CheckFindingKind.Overlap && f.Refcount >= f.References);
        var expected = (
            qemu.ExitCode, Field("image-end-offset"), Field("total-clusters"), Field("allocated-clusters"), Field("fragmented-clusters"),
            Field("compressed-clusters"), Field("leaks"), Field("corruptions"), Field("check-errors"));
        var actual = (
            unseen == 0 ? ours.ExitCode : qemu.ExitCode, summary.ImageEndOffset, summary.TotalClusters, summary.AllocatedClusters, summary.FragmentedClusters,
            summary.CompressedClusters, summary.Leaks, summary.Corruptions - unseen, summary.CheckErrors);
        Assert.True(expected == actual, $"expected {expected}\nactual   {actual}\n{both}");
        return unseen == 0 ? QemuVerdict.Equal : QemuVerdict.QemuOverlooked;
    }
}
