using Qcow2Stream.Fuzz.Harnesses;

namespace Qcow2Stream.Fuzz;

/// <summary>All harnesses, by name.</summary>
public static class HarnessList
{
    // A harness makes the images around its input when it is asked for.
    private static readonly Dictionary<string, Func<IHarness>> Factories = new()
    {
        ["image"] = () => new ImageHarness(),
        ["header"] = () => new HeaderHarness(),
        ["snapshots"] = () => new SnapshotsHarness(),
        ["bitmaps"] = () => new BitmapsHarness(),
        ["luks"] = () => new LuksHarness(),
        ["compressed"] = () => new CompressedHarness(),
        ["json"] = () => new JsonHarness(),
        ["foreign"] = () => new ForeignHarness(),
        ["guests"] = () => new GuestsHarness(),
    };

    /// <summary>The names.</summary>
    public static IReadOnlyCollection<string> Names => Factories.Keys;

    /// <summary>Makes the harness of a name; null if there is none.</summary>
    public static IHarness? Make(string name) => Factories.TryGetValue(name, out Func<IHarness>? make) ? make() : null;
}
