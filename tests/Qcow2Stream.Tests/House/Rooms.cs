using ArchUnitNET.Domain;
using ArchUnitNET.Fluent.Syntax.Elements.Types;
using ArchUnitNET.Loader;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace Qcow2Stream.Tests.House;

/// <summary>
/// The library as it is built, and the rooms in it: the folders below its root, which are namespaces.
/// </summary>
/// <remarks>
/// What is read is the assembly, so rules see what is in it: fields, signatures, calls, type arguments, attributes, lambdas, async
/// methods and iterators. They don't see constants and nameof, which leave no trace, types that are caught, sizeof, and the bodies of
/// async iterators. A nested type is in its outer type's room.
/// </remarks>
internal static class Rooms
{
    private const string Root = "Qcow2Stream";

    /// <summary>The rooms. Each may use those to its left.</summary>
    public static readonly string[] Order =
    [
        "Text", "Format", "Codecs", "Crypto", "HostFiles", "Images", "Translation", "Layers", "Opening", "Copying", "Mapping", "Info",
        "Check", "Plugin",
    ];

    /// <summary>The one room that may use the facades: it gives them to DiscUtils.</summary>
    public const string Plugin = "Plugin";

    public static readonly System.Reflection.Assembly Library = typeof(Qcow2Chain).Assembly;

    public static readonly System.Reflection.Assembly CommandLine = typeof(Qcow2Stream.Cli.CommandList).Assembly;

    public static readonly Architecture Architecture = new ArchLoader().LoadAssemblies(Library, CommandLine).Build();

    /// <summary>The types at the library's root.</summary>
    public static GivenTypesConjunction TypesAtTheRoot() => LibraryTypes().And().ResideInNamespace(Root);

    /// <summary>The types in rooms, those below the rooms included.</summary>
    public static GivenTypesConjunction TypesIn(params ReadOnlySpan<string> rooms) =>
        LibraryTypes().And().ResideInNamespaceMatching($@"^{Root}\.({string.Join('|', rooms)})(\.|$)");

    /// <summary>What is linked into several assemblies.</summary>
    public static GivenTypesConjunction SharedTypes() => LibraryTypes().And().ResideInNamespaceOrBelow("Shared");

    public static GivenTypesConjunction LibraryTypes() => Types().That().ResideInAssembly(Library);
}
