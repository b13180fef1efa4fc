namespace Qcow2Stream.Cli.Guest;

/// <summary>Something in the guest that can't be found or read; the message names it.</summary>
internal sealed class GuestException(string message, Exception? cause = null) : IOException(message, cause);
