namespace Qcow2Stream;

/// <summary>
/// A file that an image names could not be used: it is missing, refused by the <see cref="FollowPolicy"/>, part
/// of a loop, or one too many. The message holds the whole chain down to the file at fault.
/// </summary>
public sealed class BackingFileException : Qcow2Exception
{
    /// <summary>Initializes the exception.</summary>
    /// <param name="problem">What is wrong and which option would allow it.</param>
    /// <param name="imagePath">The image that names the file.</param>
    /// <param name="fileName">The name as recorded in the image.</param>
    /// <param name="innerException">The cause.</param>
    public BackingFileException(string problem, string? imagePath, string fileName, Exception? innerException = null)
        : base(problem, imagePath, innerException: innerException)
    {
        FileName = fileName;
    }

    /// <summary>The name of the file at fault, as recorded in the image. It is untrusted text.</summary>
    public string FileName { get; }
}
