using Qcow2Stream.Format;
using Qcow2Stream.Fuzz.Seeding;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>The input is the start of an image: its header is parsed, dumped, described and inspected.</summary>
internal sealed class HeaderHarness : IHarness
{
    // What the opener reads at first.
    private const int FirstGuess = 4096;

    private readonly ScratchFile _file = new();

    public string Name => "header";

    public IEnumerable<KeyValuePair<string, byte[]>> Seeds =>
        ImageSeeds.All.Select(seed => KeyValuePair.Create(seed.Key, seed.Value[..Math.Min(seed.Value.Length, FirstGuess)]));

    public void Run(ArraySegment<byte> input)
    {
        if (TryParse(input, lenient: false) && !TryParse(input, lenient: true))
        {
            throw new BrokenInvariantException("what is taken strictly is not taken leniently");
        }

        string path = _file.Write(input);
        try
        {
            _ = HeaderDump.Read(path).ToString();
        }
        catch (Qcow2FormatException)
        {
            // No magic.
        }

        try
        {
            ImageInfo info = ImageInfo.Read(path);
            _ = info.FullBackingFile;
            new[] { info }.WriteText(Stream.Null);
            new[] { info }.WriteJson(Stream.Null, asArray: true);
        }
        catch (Qcow2Exception)
        {
            // It does not open.
        }

        foreach (InspectionStep step in ImageInspection.Inspect(path, FuzzOptions.Default))
        {
            if (step.Text.Any(char.IsControl))
            {
                throw new BrokenInvariantException($"an inspection's line has control characters: {step.Text}");
            }
        }
    }

    private static bool TryParse(ReadOnlySpan<byte> file, bool lenient)
    {
        try
        {
            int length = Math.Min(FirstGuess, file.Length);
            Qcow2Header? header = Qcow2HeaderParser.Parse(file[..length], file.Length, FuzzOptions.Default.HeaderLimits, null, out int needed, lenient);
            if (header is null)
            {
                if (needed <= length || needed > file.Length)
                {
                    throw new BrokenInvariantException($"with {length} of {file.Length} bytes, {needed} are asked for");
                }

                header = Qcow2HeaderParser.Parse(file[..needed], file.Length, FuzzOptions.Default.HeaderLimits, null, out _, lenient)
                    ?? throw new BrokenInvariantException($"{needed} bytes were asked for, and are not enough");
            }

            if (header.Size < 0 || header.L1Size < 0 || header.L1TableOffset < 0 || header.ClusterSize is < 512 or > 1 << 21)
            {
                throw new BrokenInvariantException($"the header has impossible sizes: {header.Size}, {header.L1Size}, {header.ClusterSize}");
            }

            return true;
        }
        catch (Qcow2Exception)
        {
            return false;
        }
    }
}
