using Qcow2Stream.Fuzz.Checks;
using Qcow2Stream.Fuzz.Seeding;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>
/// The input is the top image: it is opened over fixed files, mapped, and read, first as by default and then as QEMU
/// would read it.
/// </summary>
internal sealed class ImageHarness : IHarness
{
    private readonly FixedFiles _files = new();
    private readonly Qcow2OpenOptions _strict;
    private readonly Qcow2OpenOptions _lenient;

    public ImageHarness()
    {
        _strict = FuzzOptions.Default with { Follow = FollowPolicy.FromResolver(_files.Open) };
        _lenient = _strict with { Lenient = true };
    }

    public string Name => "image";

    public IEnumerable<KeyValuePair<string, byte[]>> Seeds => ImageSeeds.All;

    public void Run(ArraySegment<byte> input)
    {
        Walk(input, _strict);
        Walk(input, _lenient);
    }

    private void Walk(ArraySegment<byte> input, Qcow2OpenOptions options)
    {
        _files.Reset();
        try
        {
            using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(input.Array!, input.Offset, input.Count, writable: false), options);
            new DiskWalk(chain, depth => HostBytes(chain, depth, input)).Run();
        }
        catch (Qcow2Exception)
        {
            // It does not open.
        }
    }

    private ReadOnlyMemory<byte>? HostBytes(Qcow2Chain chain, int depth, ReadOnlyMemory<byte> input)
    {
        if (chain.Layers[depth].Format == ImageFormat.Other)
        {
            return null;
        }

        return depth > 0 ? _files.Backing
            : chain.Layers[0].Header is { HasDataFile: true } ? _files.DataFile
            : input;
    }
}
