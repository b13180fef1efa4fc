using Qcow2Stream.Fuzz;

namespace Qcow2Stream.Tests.Layers;

/// <summary>Registers with DiscUtils, once, the formats that these tests use.</summary>
internal static class ForeignImages
{
    public static void Register() => ForeignFormats.Register();
}
