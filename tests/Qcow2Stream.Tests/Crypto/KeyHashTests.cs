using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Digests;
using Qcow2Stream.Crypto;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>The derivation that can be interrupted gives what the platform's gives, and ends when it should.</summary>
public sealed class KeyHashTests
{
    private static readonly byte[] Salt = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Theory]
    [InlineData("SHA1", 20)]
    [InlineData("SHA256", 64)]
    [InlineData("SHA512", 100)]
    public void InterruptibleDerivation_GivesThePlatformsKey(string name, int length)
    {
        byte[] expected = Rfc2898DeriveBytes.Pbkdf2("secret"u8, Salt, 1000, new HashAlgorithmName(name), length);
        byte[] key = new byte[length];
        using PlatformKeyedHash hash = new(new HashAlgorithmName(name), "secret"u8);
        Pbkdf2.Derive(hash, Salt, 1000, key, default);
        Assert.Equal(expected, key);
    }

    [Fact]
    public void DerivationWithADigest_GivesThePlatformsKey()
    {
        byte[] expected = Rfc2898DeriveBytes.Pbkdf2("secret"u8, Salt, 1000, HashAlgorithmName.SHA256, 64);
        byte[] key = new byte[64];
        using DigestKeyedHash hash = new(new Sha256Digest(), "secret"u8);
        Pbkdf2.Derive(hash, Salt, 1000, key, default);
        Assert.Equal(expected, key);
    }

    /// <summary>An hour's work, if it were done.</summary>
    [Theory]
    [InlineData("sha256")]
    [InlineData("ripemd160")]
    public async Task LongDerivation_EndsWhenItIsCancelled(string name)
    {
        using CancellationTokenSource source = new();
        Task derivation = Task.Run(() => KeyHash.Find(name).DeriveKey("secret"u8, Salt, uint.MaxValue, new byte[64], source.Token));
        source.CancelAfter(TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => derivation);
    }

    [Theory]
    [InlineData("sha256", 3)]
    [InlineData("ripemd160", 3)]
    public void CancelledToken_EndsAnyDerivation(string name, uint rounds)
    {
        KeyHash hash = KeyHash.Find(name);
        Assert.ThrowsAny<OperationCanceledException>(() => hash.DeriveKey("secret"u8, Salt, rounds, new byte[64], new CancellationToken(canceled: true)));
    }
}
