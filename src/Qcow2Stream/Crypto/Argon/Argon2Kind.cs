namespace Qcow2Stream.Crypto.Argon;

/// <summary>The variants of Argon2 that LUKS knows; the values are those of RFC 9106, section 3.1.</summary>
internal enum Argon2Kind
{
    /// <summary>Argon2i: where a block looks back to doesn't depend on the passphrase.</summary>
    Argon2i = 1,

    /// <summary>Argon2id: it doesn't in the first half of the first pass, and does after that.</summary>
    Argon2id = 2,
}
