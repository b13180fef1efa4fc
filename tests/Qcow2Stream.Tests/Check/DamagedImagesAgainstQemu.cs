using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Check;

/// <summary>Random damage: the same counts and exit codes as QEMU's, but where one of the two can't look.</summary>
public sealed class DamagedImagesAgainstQemu : IDisposable
{
    private const int ImagesPerRecipe = 20;

    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Recipes => [.. CheckRecipe.All.Keys];

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [MemberData(nameof(Recipes))]
    public async Task DamagedImages_AreCountedAsByQemu(string name)
    {
        CheckRecipe recipe = CheckRecipe.All[name];
        string path = await recipe.Make(_scratch.Path);
        byte[] image = await File.ReadAllBytesAsync(path);
        List<QemuVerdict> verdicts = [];
        for (int seed = 0; seed < ImagesPerRecipe; seed++)
        {
            (byte[] damaged, string description) = new RandomDamage(image, seed).Apply();
            await File.WriteAllBytesAsync(path, damaged);
            verdicts.Add(await QemuComparison.Compare(recipe, path, $"{name}, {description}"));
        }

        Assert.True(verdicts.Count(v => v == QemuVerdict.Equal) > ImagesPerRecipe / 2, string.Join(", ", verdicts));
    }
}
