namespace Qcow2Stream.Benchmarks;

/// <summary>What was to be measured does the wrong thing; its time means nothing.</summary>
internal sealed class WrongResultException(string message) : Exception(message)
{
    public static void ThrowUnless(bool right, string message)
    {
        if (!right)
        {
            throw new WrongResultException(message);
        }
    }
}
