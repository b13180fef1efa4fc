namespace Qcow2Stream;

/// <summary>The content of an image breaks the format: it is damaged, cut short, or not an image at all.</summary>
public sealed class Qcow2FormatException : Qcow2Exception
{
    /// <inheritdoc cref="Qcow2Exception(string, string?, long?, long?, Exception?)"/>
    public Qcow2FormatException(
        string problem,
        string? imagePath = null,
        long? guestOffset = null,
        long? hostOffset = null,
        Exception? innerException = null)
        : base(problem, imagePath, guestOffset, hostOffset, innerException)
    {
    }
}
