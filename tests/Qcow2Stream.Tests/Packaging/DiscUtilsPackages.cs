using System.IO.Compression;
using System.Reflection;
using System.Xml.Linq;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>The packages of DiscUtils that the libraries name, for registries that do not serve them: made of the assemblies that are bundled.</summary>
internal static class DiscUtilsPackages
{
    /// <summary>The version that is set for all of them.</summary>
    public static string Version { get; } =
        XDocument.Load(Path.Combine(Repository.Root, "src/DiscUtils.props")).Descendants("DiscUtilsVersion").Single().Value;

    public static void Write(string directory)
    {
        foreach ((string id, string[] assemblies) in new (string, string[])[]
        {
            ("LTRData.DiscUtils.Core", ["DiscUtils.Core", "LTRData.Extensions"]),
            ("LTRData.DiscUtils.Streams", ["DiscUtils.Streams"]),
            ("LTRData.DiscUtils.Btrfs", ["DiscUtils.Btrfs", "lzo.net"]),
            ("LTRData.DiscUtils.Fat", ["DiscUtils.Fat"]),
            ("LTRData.DiscUtils.HfsPlus", ["DiscUtils.HfsPlus"]),
            ("LTRData.DiscUtils.Iso9660", ["DiscUtils.Iso9660"]),
            ("LTRData.DiscUtils.Ntfs", ["DiscUtils.Ntfs"]),
            ("LTRData.DiscUtils.Udf", ["DiscUtils.Udf"]),
            ("LTRData.DiscUtils.Xfs", ["DiscUtils.Xfs"]),
        })
        {
            using ZipArchive package = ZipFile.Open(Path.Combine(directory, $"{id}.{Version}.nupkg"), ZipArchiveMode.Create);
            using (StreamWriter nuspec = new(package.CreateEntry(id + ".nuspec").Open()))
            {
                nuspec.Write($"<package><metadata><id>{id}</id><version>{Version}</version><authors>DiscUtils</authors><description>DiscUtils</description></metadata></package>");
            }

            foreach (string assembly in assemblies)
            {
                package.CreateEntryFromFile(Assembly.Load(assembly).Location, $"lib/net10.0/{assembly}.dll");
            }
        }
    }
}
