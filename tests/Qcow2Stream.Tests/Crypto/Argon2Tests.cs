using Org.BouncyCastle.Crypto.Generators;
using Qcow2Stream.Crypto.Argon;
using Parameters = Org.BouncyCastle.Crypto.Parameters.Argon2Parameters;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>Held against BouncyCastle's Argon2, which is another implementation.</summary>
public sealed class Argon2Tests
{
    private static readonly byte[] Salt = [.. Enumerable.Range(0, 32).Select(i => (byte)(i * 7))];

    [Theory]
    [InlineData(1, 1, 8, 1, 4)]
    [InlineData(1, 4, 32, 2, 16)]
    [InlineData(1, 3, 777, 3, 64)]
    [InlineData(1, 2, 8192, 1, 32)] // several address blocks a segment
    [InlineData(2, 1, 8, 1, 65)]
    [InlineData(2, 4, 32, 4, 32)]
    [InlineData(2, 3, 1000, 7, 100)] // memory that is no multiple of the slices
    [InlineData(2, 2, 8191, 1, 64)]
    [InlineData(2, 5, 4096, 4, 96)]
    public void Key_IsBouncyCastles(int kind, int passes, int memory, int lanes, int keyLength)
    {
        byte[] passphrase = "pässword"u8.ToArray();
        byte[] expected = new byte[keyLength];
        Argon2BytesGenerator generator = new();
        generator.Init(new Parameters.Builder(kind).WithVersion(Parameters.Version13).WithSalt(Salt)
            .WithIterations(passes).WithMemoryAsKB(memory).WithParallelism(lanes).Build());
        generator.GenerateBytes(passphrase, expected);

        byte[] actual = new byte[keyLength];
        Argon2.Derive(new Argon2Parameters((Argon2Kind)kind, (uint)passes, (uint)memory, (uint)lanes), passphrase, Salt, actual, CancellationToken.None);
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(4u)]
    public async Task CancelledWithin_Throws(uint lanes)
    {
        using CancellationTokenSource source = new();
        Argon2Parameters endless = new(Argon2Kind.Argon2id, uint.MaxValue, 4096, lanes);
        Task derivation = Task.Run(() => Argon2.Derive(endless, "x"u8, Salt, new byte[32], source.Token));
        await Task.Delay(50);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => derivation.WaitAsync(TimeSpan.FromMinutes(1)));
    }
}
