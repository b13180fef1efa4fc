using System.Text.RegularExpressions;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.House;

/// <summary>What the description of the house names is there, or a reader looks for it in vain.</summary>
public sealed partial class DocumentTests
{
    private static string Text { get; } = File.ReadAllText(Path.Combine(Repository.Root, "src", "Qcow2Stream", "ARCHITECTURE.md"));

    private static string[] Sources { get; } = [.. Directory
        .EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Select(path => path.Replace('\\', '/'))
        .Where(path => !path.Contains("/obj/", StringComparison.Ordinal))];

    public static TheoryData<string> Types => [.. Names(TypeName())];

    public static TheoryData<string> Rooms => [.. Names(RoomName())];

    /// <summary>A type has a file of its name.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void NamedType_IsInAFileOfItsName(string name) =>
        Assert.Contains(Sources, path => path.EndsWith($"/{name}.cs", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Rooms))]
    public void NamedRoom_HasSources(string name) => Assert.Contains(Sources, path => path.Contains($"/{name}", StringComparison.Ordinal));

    [Fact]
    public void EveryRoom_IsNamed() => Assert.All(
        Directory.GetDirectories(Path.Combine(Repository.Root, "src", "Qcow2Stream")).Select(path => Path.GetFileName(path)!).Except(["bin", "obj"]),
        room => Assert.Contains($"`{room}/`", Text, StringComparison.Ordinal));

    private static IEnumerable<string> Names(Regex pattern) => pattern.Matches(Text).Select(match => match.Groups[1].Value).Distinct()
        .Except(["ObjectDisposedException", "Stream", "LeaveOpen", "Extents", "Qcow2Stream"]);

    [GeneratedRegex(@"`((?:[A-Z]\w+/)?[A-Z]\w+)(?:\.[A-Z]\w+)*`")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"`([A-Z]\w+/)`")]
    private static partial Regex RoomName();
}
