namespace Qcow2Stream.Tests.Codecs;

/// <summary>Frames that are broken or cut: the verdict is libzstd's, but for what the format calls corrupt.</summary>
public sealed class BrokenZstdTests : IDisposable
{
    private readonly ZstdReference _reference = new();

    public void Dispose() => _reference.Dispose();

    [Fact]
    public void InputCutAnywhere_IsRefused()
    {
        Random random = new(8);
        foreach (string kind in DeflateSamples.Kinds)
        {
            byte[] content = DeflateSamples.Content(kind, 1500, seed: 6);
            for (int form = 0; form < 8; form++)
            {
                byte[] source = ZstdSamples.Any(content, random);
                for (int length = 0; length < source.Length; length++)
                {
                    Assert.False(_reference.Check(source[..length], content.Length, $"{kind}, {length} of {source.Length} bytes"));
                }
            }
        }
    }

    [Fact]
    public void DamagedFrames_GetTheVerdict()
    {
        const int Frames = 300;
        const int DamagesOfEach = 300;
        int good = ZstdDamage.Check(_reference, seed: 31, Frames, DamagesOfEach);

        // Neither all nor none. libzstd seldom looks whether Huffman streams end where they should.
        Assert.InRange(good, Frames * DamagesOfEach / 20, Frames * DamagesOfEach * 9 / 10);
        Assert.InRange(_reference.RefusedAlone, 0, Frames * DamagesOfEach / 25);
    }
}
