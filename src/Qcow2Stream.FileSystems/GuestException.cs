using Shared;

namespace Qcow2Stream.FileSystems;

/// <summary>
/// Something in the guest can't be found or read: a partition table, a volume, a file system, an entry or its content. The base of every error that
/// the content of a disk can cause. (A fault in the image around it is a <see cref="Qcow2Exception"/>.)
/// </summary>
/// <remarks>
/// It is an <see cref="IOException"/>, so code that reads any <see cref="Stream"/> already catches it. Misuse of the library
/// (bad arguments, use after Dispose) throws .NET's own exceptions. Control characters in messages, the guest's above all, are escaped.
/// </remarks>
public class GuestException : IOException
{
    /// <summary>Initializes the exception.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="innerException">The cause.</param>
    public GuestException(string message, Exception? innerException = null)
        : base(PrintableText.Escape(message), innerException)
    {
    }
}
