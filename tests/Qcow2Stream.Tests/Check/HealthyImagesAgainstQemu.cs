using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Check;

/// <summary>Images that QEMU made: nothing is found, and all that is counted is what QEMU counts.</summary>
public sealed class HealthyImagesAgainstQemu : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Recipes => [.. CheckRecipe.All.Keys];

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [MemberData(nameof(Recipes))]
    public async Task HealthyImage_IsCountedAsByQemu(string name)
    {
        CheckRecipe recipe = CheckRecipe.All[name];
        string path = await recipe.Make(_scratch.Path);
        Assert.Equal(QemuVerdict.Equal, await QemuComparison.Compare(recipe, path, name));
        CheckResult result = CheckResult.Of(path);
        Assert.Equal((0, 0), (result.ExitCode, result.Findings.Count));
    }
}
