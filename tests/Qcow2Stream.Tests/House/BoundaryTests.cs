using System.Reflection;
using System.Runtime.CompilerServices;
using ArchUnitNET.xUnit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace Qcow2Stream.Tests.House;

/// <summary>Where assemblies meet: what a library keeps to itself, nobody uses but its tests.</summary>
public sealed class BoundaryTests
{
    public static TheoryData<string> Assemblies => [.. AssemblyNames];

    /// <summary>The assemblies of this repository that came with these tests, and aren't tests.</summary>
    private static IEnumerable<string> AssemblyNames => Directory.GetFiles(AppContext.BaseDirectory, "*.dll")
        .Select(path => Path.GetFileNameWithoutExtension(path))
        .Where(name => (name == "qcow2" || name.Split('.')[0] == "Qcow2Stream") && !IsTests(name))
        .Order(StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Internals_AreOpenToTestsAndFuzzersOnly(string assembly) => Assert.All(
        Assembly.Load(assembly).GetCustomAttributes<InternalsVisibleToAttribute>(),
        attribute => Assert.True(IsTests(attribute.AssemblyName.Split(',')[0]), $"{assembly} is open to {attribute.AssemblyName}"));

    [Fact]
    public void Assemblies_AreFound() => Assert.Superset(new HashSet<string> { "Qcow2Stream", "Qcow2Stream.FileSystems", "Qcow2Stream.Nbd", "qcow2" }, AssemblyNames.ToHashSet());

    /// <summary>
    /// Constants of internal types and what nameof gives leave no trace, and are not seen. Types of the name space Shared are compiled
    /// into each assembly, and distinguished by name alone here, which is the same.
    /// </summary>
    [Fact]
    public void CommandLine_UsesWhatIsPublic() =>
        Types().That().ResideInAssembly(Rooms.CommandLine).Should()
            .NotDependOnAny(Rooms.LibraryTypes().And().AreNotPublic().And().DoNotResideInNamespace("Shared"))
            .Because("a program does with the library what anyone can do with it")
            .Check(Rooms.Architecture);

    private static bool IsTests(string assembly) => assembly.EndsWith(".Tests", StringComparison.Ordinal) || assembly == "Qcow2Stream.Fuzz";
}
