using Shared;

namespace Qcow2Stream;

/// <summary>
/// An image, or a file of its backing chain, could not be read. The base of every error that an image can cause.
/// </summary>
/// <remarks>
/// It is an <see cref="IOException"/>, so code that reads any <see cref="Stream"/> already catches it. Misuse of
/// the library (bad arguments, use after Dispose) throws .NET's own exceptions.
/// </remarks>
public class Qcow2Exception : IOException
{
    /// <summary>Initializes the exception.</summary>
    /// <param name="problem">What is wrong, its value and the rule that it breaks.</param>
    /// <param name="imagePath">The file at fault, as it was opened; null for a stream without a name.</param>
    /// <param name="guestOffset">Where in the guest's disk, in bytes, if the error has a position there.</param>
    /// <param name="hostOffset">Where in the file, in bytes, if the error has a position there.</param>
    /// <param name="innerException">The cause.</param>
    public Qcow2Exception(
        string problem,
        string? imagePath = null,
        long? guestOffset = null,
        long? hostOffset = null,
        Exception? innerException = null)
        : base(Describe(problem, imagePath, guestOffset, hostOffset), innerException)
    {
        Problem = problem;
        ImagePath = imagePath;
        GuestOffset = guestOffset;
        HostOffset = hostOffset;
    }

    /// <summary>The file at fault, as it was opened; null where a stream without a name was opened.</summary>
    public string? ImagePath { get; }

    /// <summary>The position in the guest's disk, in bytes from its start; null if the error has none.</summary>
    public long? GuestOffset { get; }

    /// <summary>The position in the file <see cref="ImagePath"/>, in bytes from its start; null if the error has none.</summary>
    public long? HostOffset { get; }

    /// <summary>
    /// The part of the message that a program with its own options replaces by its own words: what of this library would help, as
    /// code, or the option whose limit was passed. Null if it has no such part.
    /// </summary>
    public string? Hint { get; internal init; }

    /// <summary>The message without the positions.</summary>
    internal string Problem { get; }

    private static string Describe(string problem, string? imagePath, long? guestOffset, long? hostOffset)
    {
        // Wherever a part of it comes from, a name of the caller's too: programs log it.
        problem = PrintableText.Escape(problem);
        List<string> place = [];
        if (imagePath is not null)
        {
            place.Add(PrintableText.Escape(imagePath));
        }

        if (hostOffset is { } host)
        {
            place.Add($"at byte {host}");
        }

        if (guestOffset is { } guest)
        {
            place.Add($"guest offset {guest}");
        }

        return place.Count == 0 ? problem : $"{problem} ({string.Join(", ", place)})";
    }
}
