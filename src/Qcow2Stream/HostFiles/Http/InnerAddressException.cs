namespace Qcow2Stream.HostFiles.Http;

/// <summary>No connection was made: only a public address would do, and the host has none, or others too.</summary>
internal sealed class InnerAddressException() : IOException("the host's address isn't public");
