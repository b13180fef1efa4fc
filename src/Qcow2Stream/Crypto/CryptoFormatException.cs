namespace Qcow2Stream.Crypto;

/// <summary>An encryption header is broken. The message says the field, its value and the rule.</summary>
internal sealed class CryptoFormatException(string message) : Exception(message);
