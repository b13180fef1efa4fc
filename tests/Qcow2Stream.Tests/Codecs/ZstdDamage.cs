namespace Qcow2Stream.Tests.Codecs;

/// <summary>Damages frames, and compares what becomes of them.</summary>
internal static class ZstdDamage
{
    /// <returns>How many damaged frames are still good.</returns>
    public static int Check(ZstdReference reference, int seed, int frames, int damagesOfEach)
    {
        Random random = new(seed);
        int good = 0;
        for (int round = 0; round < frames; round++)
        {
            byte[] content = DeflateSamples.Content(DeflateSamples.Kinds[round % DeflateSamples.Kinds.Count], random.Next(20, 4000), random.Next());
            byte[] source = ZstdSamples.Any(content, random);
            for (int damage = 0; damage < damagesOfEach; damage++)
            {
                List<byte> damaged = [.. source];
                for (int changes = random.Next(1, 3); changes > 0; changes--)
                {
                    // The first bytes hold the headers and the tables.
                    int at = random.Next(random.Next(2) == 0 ? damaged.Count : Math.Min(damaged.Count, 80));
                    switch (random.Next(12))
                    {
                        case 0:
                            damaged.Insert(at, (byte)random.Next(256));
                            break;
                        case 1 when damaged.Count > 1:
                            damaged.RemoveAt(at);
                            break;
                        case < 6:
                            damaged[at] = (byte)random.Next(256);
                            break;
                        default:
                            damaged[at] ^= (byte)(1 << random.Next(8));
                            break;
                    }
                }

                good += reference.Check([.. damaged], content.Length, $"seed {seed}, round {round}, damage {damage}", mayRefuse: true) ? 1 : 0;
            }
        }

        return good;
    }
}
