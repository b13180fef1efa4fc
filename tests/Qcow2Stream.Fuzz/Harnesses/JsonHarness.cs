using System.Text;
using Qcow2Stream.Fuzz.Seeding;
using Qcow2Stream.Opening;
using Shared;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>The input is a file's name as an image records it, after a byte that chooses the format recorded with it.</summary>
internal sealed class JsonHarness : IHarness
{
    private const string ImageDirectory = "/images/here/";
    private const string ImagePath = ImageDirectory + "top.qcow2";

    private static readonly string?[] Formats = [null, "raw", "qcow2", "vmdk"];

    public string Name => "json";

    public IEnumerable<KeyValuePair<string, byte[]>> Seeds => NameSeeds.All;

    public void Run(ArraySegment<byte> input)
    {
        if (input.Count == 0)
        {
            return;
        }

        ArraySegment<byte> recorded = input[1..];
        Judge(FileName.Judge(recorded, NamedFileKind.BackingFile, out string name), name);
        Judge(FileName.Judge(recorded, NamedFileKind.DataFile, out name), name);
        if (!JsonFileName.IsJson(recorded))
        {
            return;
        }

        string? fault = JsonFileName.Parse(recorded, Formats[input[0] % Formats.Length], FuzzOptions.Default.MaxJsonDepth, out JsonFileName json);
        if (fault is not null)
        {
            CheckPrintable(fault);
            if (json != default)
            {
                throw new BrokenInvariantException($"a name that is refused is given nevertheless: {json}");
            }

            return;
        }

        // The opener's own way: the file inside is judged like any other name.
        Judge(FileName.JudgeLiteral(Encoding.UTF8.GetBytes(json.FileName), out name), name);
    }

    private static void Judge(string? fault, string name)
    {
        if (fault is not null)
        {
            CheckPrintable(fault);
            return;
        }

        if (name.Length == 0 || name.Any(char.IsControl))
        {
            throw new BrokenInvariantException($"the name '{name}' was taken");
        }

        CheckPrintable(PrintableText.Escape(name));
        if (WindowsName.Judge(name, allowsServers: false) is { } windowsFault)
        {
            CheckPrintable(windowsFault);
        }

        _ = Path.GetFullPath(Path.Combine(ImageDirectory, name));
        try
        {
            string joined = LocatorPath.Join(ImagePath, name);
            if (!LocatorPath.Normalize(joined).StartsWith(ImageDirectory, StringComparison.Ordinal))
            {
                throw new BrokenInvariantException($"'{name}' leads out of the image's directory, to '{joined}'");
            }
        }
        catch (RefusedException e)
        {
            CheckPrintable(e.Message);
        }
    }

    private static void CheckPrintable(string text)
    {
        if (text.Any(char.IsControl))
        {
            throw new BrokenInvariantException($"a control character stands in '{text}'");
        }
    }
}
