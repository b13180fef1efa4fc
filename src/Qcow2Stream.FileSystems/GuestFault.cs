namespace Qcow2Stream.FileSystems;

/// <summary>Something in a tree that can't be read or copied.</summary>
/// <param name="Path">
/// Where: the path from the entry where the walk or the copy started, with a slash before each name; empty for that entry
/// itself. Untrusted text: escape it before it is shown.
/// </param>
/// <param name="Exception">What is wrong there: a <see cref="GuestException"/>, a <see cref="Qcow2Exception"/>, or the host's.</param>
public sealed record GuestFault(string Path, Exception Exception)
{
    /// <summary>The message of <see cref="Exception"/>.</summary>
    public string Message => Exception.Message;
}
