namespace Qcow2Stream;

/// <summary>An encrypted image was to be read, and there is no passphrase, or not the right one.</summary>
public sealed class PassphraseException : Qcow2Exception
{
    /// <summary>Initializes the exception.</summary>
    /// <param name="problem">What is wrong.</param>
    /// <param name="imagePath">The encrypted image.</param>
    public PassphraseException(string problem, string? imagePath = null)
        : base(problem, imagePath)
    {
    }
}
