namespace Qcow2Stream.Nbd.Serving;

/// <summary>Failures of reading the disk, each of which ends a request and nothing more.</summary>
internal static class ReadFault
{
    /// <summary>
    /// Whether what a read threw is to be reported, to the client and to the server's owner. The owner's own code may have thrown
    /// it (a host file, the callbacks of the chain's options), so that it may be anything. Only a chain that was closed isn't:
    /// that is the connection's end.
    /// </summary>
    public static bool Is(Exception exception) => !Connection.IsEnd(exception);

    /// <summary>
    /// What a client may know: the kind of the failure, and its place in the disk. The exception's own message names files of
    /// this host.
    /// </summary>
    /// <param name="fault">What was thrown.</param>
    /// <param name="position">Where in the disk was read, for a fault that does not know its place.</param>
    public static string ForClients(Exception fault, long position)
    {
        string kind = fault switch
        {
            Qcow2FormatException => "the image is damaged",
            Qcow2UnsupportedException => "the image uses a feature that the server does not know",
            PassphraseException => "the image is encrypted, and the server can't unlock it",
            _ => "the server can't read the image",
        };
        return $"{kind} (guest offset {PlaceOf(fault) ?? position})";
    }

    /// <summary>Where in the disk it happened, in bytes, if that is known.</summary>
    public static long? PlaceOf(Exception fault) => (fault as Qcow2Exception)?.GuestOffset;
}
