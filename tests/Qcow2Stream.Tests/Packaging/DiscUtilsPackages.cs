using System.IO.Compression;
using System.Xml.Linq;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>The packages of DiscUtils, with what they need, for registries that do not serve them: made of the assemblies that are bundled.</summary>
internal static class DiscUtilsPackages
{
    private static readonly XDocument Sources = XDocument.Load(Path.Combine(Repository.Root, "src/DiscUtils.props"));

    private static readonly Dictionary<string, string[]> Needed = new()
    {
        ["LTRData.Extensions"] = [],
        ["LTRData.DiscUtils.Streams"] = ["LTRData.Extensions 1.0.19", "Microsoft.Bcl.HashCode 6.0.0"],
        ["LTRData.DiscUtils.Core"] = [$"LTRData.DiscUtils.Streams {Version}"],
        ["LTRData.DiscUtils.Udf"] = [$"LTRData.DiscUtils.Core {Version}", $"LTRData.DiscUtils.Iso9660 {Version}"],
    };

    /// <summary>The version that is set for all of them.</summary>
    public static string Version => Sources.Descendants("DiscUtilsVersion").Single().Value;

    public static void Write(string directory)
    {
        string bundle = Path.Combine(
            Packages.Folder, "microsoft.cst.devskim.cli", Sources.Descendants("DiscUtilsBundleVersion").Single().Value, "tools", "net10.0", "any");
        foreach (XElement file in Sources.Descendants("DiscUtilsFile"))
        {
            string assembly = file.Attribute("Include")!.Value;
            string id = file.Attribute("PackageId")!.Value;
            string version = file.Attribute("PackageVersion")!.Value.Replace("$(DiscUtilsVersion)", Version, StringComparison.Ordinal);
            IEnumerable<string> needed = Needed.GetValueOrDefault(id, [$"LTRData.DiscUtils.Core {Version}"])
                .Select(package => package.Split(' ')).Select(package => $"""<dependency id="{package[0]}" version="{package[1]}" />""");
            using ZipArchive package = ZipFile.Open(Path.Combine(directory, $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
            using (StreamWriter nuspec = new(package.CreateEntry(id + ".nuspec").Open()))
            {
                nuspec.Write($"""
                    <package>
                      <metadata>
                        <id>{id}</id><version>{version}</version><authors>DiscUtils</authors><description>DiscUtils</description>
                        <dependencies><group targetFramework="net10.0">{string.Concat(needed)}</group></dependencies>
                      </metadata>
                    </package>
                    """);
            }

            package.CreateEntryFromFile(Path.Combine(bundle, assembly), "lib/net10.0/" + assembly);
        }
    }
}
