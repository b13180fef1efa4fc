namespace Qcow2Stream.Crypto;

/// <summary>An encryption header asks for something that is not handled here. The message names it.</summary>
/// <param name="feature">What is not handled, in a few words: <c>cipher blowfish</c>.</param>
/// <param name="message">The whole sentence.</param>
internal sealed class CryptoUnsupportedException(string feature, string message) : Exception(message)
{
    /// <summary>What is not handled, in a few words.</summary>
    public string Feature { get; } = feature;
}
