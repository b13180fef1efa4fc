using System.IO.Compression;
using System.Reflection;
using System.Xml.Linq;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>The packages of DiscUtils that the libraries name, for registries that do not serve them: made of the assemblies that are bundled.</summary>
internal static class DiscUtilsPackages
{
    public static void Write(string directory)
    {
        string version = XDocument.Load(Path.Combine(Repository.Root, "src/Directory.Packages.props")).Descendants("DiscUtilsVersion").Single().Value;
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
            using ZipArchive package = ZipFile.Open(Path.Combine(directory, $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
            using (StreamWriter nuspec = new(package.CreateEntry(id + ".nuspec").Open()))
            {
                nuspec.Write($"<package><metadata><id>{id}</id><version>{version}</version><authors>DiscUtils</authors><description>DiscUtils</description></metadata></package>");
            }

            foreach (string assembly in assemblies)
            {
                package.CreateEntryFromFile(Assembly.Load(assembly).Location, $"lib/net10.0/{assembly}.dll");
            }
        }
    }
}
