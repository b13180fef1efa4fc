using System.Text;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>How harnesses open images: a passphrase, and limits that keep one execution short.</summary>
internal static class FuzzOptions
{
    public const string Passphrase = "password";

    public static Qcow2OpenOptions Default { get; } = new()
    {
        Follow = FollowPolicy.None,
        Passphrase = _ => Encoding.UTF8.GetBytes(Passphrase),
        MaxKeyIterations = 2000,
        LayerCacheBytes = 1 << 20,
    };
}
