namespace Qcow2Stream.Cli.Nbd;

/// <summary>The connection can't go on: the client has closed it, or sends what is no NBD.</summary>
internal sealed class ClientLeftException : IOException;
