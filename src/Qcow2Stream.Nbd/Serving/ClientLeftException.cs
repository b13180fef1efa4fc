namespace Qcow2Stream.Nbd.Serving;

/// <summary>The connection can't continue: the client has closed it, or what it sends isn't NBD.</summary>
internal sealed class ClientLeftException : Exception;
