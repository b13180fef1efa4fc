using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Fuzz.Checks;
using Qcow2Stream.Fuzz.Seeding;
using Qcow2Stream.Info;
using Qcow2Stream.Text;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>
/// The input is the LUKS header of a small image whose key material stays as it is; more than a header is not used. It is
/// described, unlocked, and some data is read.
/// </summary>
internal sealed class LuksHarness : IHarness
{
    // Two MiB: not copied for each input.
    private readonly byte[] _image = [.. LuksSeeds.Template];

    public string Name => "luks";

    public IEnumerable<KeyValuePair<string, byte[]>> Seeds => LuksSeeds.All;

    public void Run(ArraySegment<byte> input)
    {
        Span<byte> header = _image.AsSpan(LuksSeeds.HeaderOffset, Luks1Layout.Length);
        header.Clear();
        input.AsSpan(0, Math.Min(input.Count, header.Length)).CopyTo(header);

        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(_image, writable: false), FuzzOptions.Default);
        try
        {
            EncryptionFacts.ReadAsync(chain.Inner.Layers[0], async: false, default).Now();
        }
        catch (Qcow2Exception)
        {
            // The walk meets the same damage.
        }

        new DiskWalk(chain, _ => null).Run();
    }
}
