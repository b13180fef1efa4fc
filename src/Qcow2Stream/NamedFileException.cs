namespace Qcow2Stream;

/// <summary>
/// A file that an image names, a backing file or a data file, could not be used: it is missing, refused by the
/// <see cref="FollowPolicy"/>, part of a loop, or one layer too many. The message holds the whole chain down to the file at fault.
/// </summary>
public sealed class NamedFileException : Qcow2Exception
{
    /// <summary>Initializes the exception.</summary>
    /// <param name="problem">What is wrong and which option would allow it.</param>
    /// <param name="file">The file at fault, and the image that names it.</param>
    /// <param name="innerException">The cause.</param>
    public NamedFileException(string problem, NamedFile file, Exception? innerException = null)
        : base(problem, file.ImagePath, innerException: innerException)
    {
        File = file;
    }

    /// <summary>The file at fault: what it is named for, its name as recorded, and the image that names it. The name is untrusted text.</summary>
    public NamedFile File { get; }
}
