namespace Qcow2Stream;

/// <summary>An encrypted image can't be read, because there is no passphrase or it is wrong.</summary>
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
