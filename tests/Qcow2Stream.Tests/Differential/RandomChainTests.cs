using System.Globalization;
using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Differential;

public class RandomChainTests
{
    private const int BatchSize = 25;

    // Another seed makes other chains, and QCOW2_IMAGES more of them.
    private static readonly int BaseSeed = Setting("QCOW2_SEED", 20_000);
    private static readonly int Images = Setting("QCOW2_IMAGES", 500);

    public static TheoryData<int, int> Batches()
    {
        TheoryData<int, int> batches = [];
        for (int done = 0; done < Images; done += BatchSize)
        {
            batches.Add(BaseSeed + done, Math.Min(BatchSize, Images - done));
        }

        return batches;
    }

    [QemuTheory]
    [MemberData(nameof(Batches))]
    public Task RandomChains_ReadAndMapAsInQemu(int firstSeed, int count) =>
        Parallel.ForEachAsync(Enumerable.Range(firstSeed, count), async (seed, _) => await CompareAsync(ChainGenerator.Create(seed)));

    private static async Task CompareAsync(ChainPlan plan)
    {
        try
        {
            using QemuChain made = new(plan);
            await made.MakeAsync();
            byte[] expected = await made.ConvertAsync();
            using Qcow2Chain chain = await OpenAsync(made);
            ChainComparison comparison = new(made, chain);
            await comparison.AssertMapsAsync();
            await comparison.AssertReadsAsync(expected);
            comparison.AssertInvariants(expected);
            if (plan.Top.SnapshotAfter is not null)
            {
                using Qcow2Chain snapshot = await OpenAsync(made, ChainPlan.SnapshotName);
                await new ChainComparison(made, snapshot).AssertSnapshotAsync();
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n\nThe chain:\n{plan}", e);
        }
    }

    /// <summary>Every third chain has hardly any cache, so that tables and clusters are thrown out and read anew.</summary>
    private static async Task<Qcow2Chain> OpenAsync(QemuChain made, string? snapshot = null)
    {
        Qcow2OpenOptions options = new()
        {
            Snapshot = snapshot,
            Passphrase = _ => Encoding.UTF8.GetBytes(ChainPlan.Passphrase),
        };
        if (made.Plan.Seed % 3 == 0)
        {
            options = options with { LayerCacheBytes = 0, DecompressedCacheBytes = 0 };
        }

        return made.Plan.Seed % 2 == 0
            ? Qcow2Chain.Open(made.TopPath, options)
            : await Qcow2Chain.OpenAsync(made.TopPath, options);
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? int.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture)
            : otherwise;
}
