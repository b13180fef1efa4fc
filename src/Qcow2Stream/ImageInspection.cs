using System.Globalization;
using Shared;

namespace Qcow2Stream;

/// <summary>
/// Whatever can be said of a file that ought to be an image, and does not open: its header as it stands, how far opening
/// gets, and each part that can be read or can't, with the reason.
/// </summary>
public static class ImageInspection
{
    // Enough to see what kind of damage it is; an image can hold millions of broken entries.
    private const int MaxSpots = 20;

    /// <summary>Inspects a file; what is wrong with it is told, not thrown.</summary>
    /// <param name="path">A regular file.</param>
    /// <param name="options">Limits and policy, as for opening; null for the defaults.</param>
    /// <returns>Lines of text, in order, as they are found.</returns>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The host denies access.</exception>
    public static IEnumerable<string> Inspect(string path, Qcow2OpenOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Inspect(() => HostFile.FromPath(path), options);
    }

    /// <inheritdoc cref="Inspect(string, Qcow2OpenOptions?)"/>
    /// <param name="open">Opens the file; called several times, as each attempt begins anew.</param>
    /// <param name="options">Limits and policy, as for opening; null for the defaults.</param>
    public static IEnumerable<string> Inspect(Func<HostFile> open, Qcow2OpenOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(open);
        return InspectFile(open, options ?? Qcow2OpenOptions.Default);
    }

    private static IEnumerable<string> InspectFile(Func<HostFile> open, Qcow2OpenOptions options)
    {
        using (HostFile file = open())
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"file: {PrintableText.Escape(file.Path ?? "")}, {file.GetLength()} bytes, {file.GetAllocatedLength()} of them on disk");

            foreach (string line in Attempt("header", () => HeaderDump.Read(file).ToString().TrimEnd('\n').Split('\n')))
            {
                yield return line;
            }
        }

        foreach (string line in Attempt("image alone", () => DescribeImage(open()))
            .Concat(Attempt("chain", () => DescribeChain(open(), options)))
            .Concat(Attempt("map", () => DescribeMap(open(), options))))
        {
            yield return line;
        }
    }

    private static string[] DescribeImage(HostFile file)
    {
        ImageInfo info = ImageInfo.Read(file);
        return
        [
            $"opens as {info.FormatName}, a disk of {info.Length} bytes",
            $"{info.Snapshots.Count} snapshots, {info.Bitmaps.Count} bitmaps, {(info.Encryption is null ? "not encrypted" : "encrypted")}",
        ];
    }

    private static string[] DescribeChain(HostFile file, Qcow2OpenOptions options)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(file, options);
        return [.. chain.Layers.Select(l => $"layer {l.Depth}: {PrintableText.Escape(l.Path ?? "")}, a disk of {l.Length} bytes")];
    }

    /// <summary>Walks the whole map as leniently as can be, and tells each spot where that was needed.</summary>
    private static List<string> DescribeMap(HostFile file, Qcow2OpenOptions options)
    {
        List<string> spots = [];
        using Qcow2Chain chain = Qcow2Chain.Open(
            file, options with { Lenient = true, OnDamage = d => spots.Add($"damaged: {d.Reason}") });
        try
        {
            if (chain.Map().Any(_ => spots.Count >= MaxSpots))
            {
                spots.Add("and maybe more");
            }
        }
        catch (Qcow2Exception e)
        {
            spots.Add($"ends here: {e.Message}");
        }

        return spots.Count > 0 ? spots : ["no damage; the data itself was not read"];
    }

    private static string[] Attempt(string what, Func<IEnumerable<string>> tell)
    {
        try
        {
            return tell().Select(line => $"{what}: {line}").ToArray();
        }
        catch (Qcow2Exception e)
        {
            return [$"{what}: can't be read: {e.Message}"];
        }
    }
}
