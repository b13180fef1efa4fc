using System.Collections.Concurrent;

namespace Qcow2Stream.Crypto;

/// <summary>
/// Decrypts sectors under one key. Safe for any number of threads at once; <see cref="Dispose"/> may run during
/// <see cref="Decrypt"/>: calls under way end as usual, later ones throw, and the last one out wipes the key.
/// Every call that runs at the same time as others takes some 35 KiB of scratch memory, which is kept for later ones.
/// </summary>
internal sealed class SectorCipher : IDisposable
{
    private readonly CipherSpec _spec;
    private readonly int _sectorLength;
    private readonly Secret _dataKey;
    private readonly Secret? _tweakKey;
    private readonly Secret? _essivKey;
    private readonly ConcurrentBag<SectorDecryptor> _idle = [];

    /// <summary>The running calls, and one more until <see cref="Dispose"/>.</summary>
    private int _users = 1;
    private int _disposed;

    /// <summary>Copies <paramref name="key"/>, whose length fits <paramref name="spec"/>.</summary>
    /// <param name="spec">The cipher, its mode and its initialization vectors.</param>
    /// <param name="key">The whole key.</param>
    /// <param name="sectorLength">The length of a sector, in bytes: 512, 1024, 2048 or 4096.</param>
    public SectorCipher(CipherSpec spec, ReadOnlySpan<byte> key, int sectorLength = SectorDecryptor.Unit)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, spec.TotalKeyLength, nameof(key));
        _spec = spec;
        _sectorLength = sectorLength;
        _dataKey = Secret.CopyOf(key[..spec.BlockKeyLength]);
        _tweakKey = spec.Mode == SectorMode.Xts ? Secret.CopyOf(key[spec.BlockKeyLength..]) : null;
        _essivKey = spec.DeriveEssivKey(key);
    }

    /// <summary>Decrypts whole sectors in place.</summary>
    /// <param name="data">The sectors; the length is a multiple of theirs.</param>
    /// <param name="firstSector">The number of the first one, in units of 512 bytes.</param>
    /// <exception cref="ArgumentException">The length is not a multiple of a sector's.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="firstSector"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The cipher was disposed.</exception>
    public void Decrypt(Span<byte> data, long firstSector)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstSector);
        if (data.Length % _sectorLength != 0)
        {
            throw new ArgumentException($"{data.Length} bytes are not whole sectors of {_sectorLength}", nameof(data));
        }

        Enter();
        try
        {
            if (!_idle.TryTake(out SectorDecryptor? decryptor))
            {
                decryptor = CreateDecryptor();
            }

            while (!data.IsEmpty)
            {
                int length = Math.Min(data.Length, SectorDecryptor.MaxRun);
                decryptor.Decrypt(data[..length], firstSector);
                data = data[length..];
                firstSector += SectorDecryptor.MaxRun / SectorDecryptor.Unit;
            }

            _idle.Add(decryptor);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Refuses further calls and wipes the key as soon as none is under way.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Leave();
        }
    }

    private SectorDecryptor CreateDecryptor()
    {
        BlockAlgorithm algorithm = _spec.Algorithm;
        return _spec.Mode switch
        {
            SectorMode.Ecb => new EcbDecryptor(BlockTransform.Decryptor(algorithm, _dataKey)),
            SectorMode.Cbc => new CbcDecryptor(_sectorLength, BlockTransform.Decryptor(algorithm, _dataKey), CreateIv()),
            SectorMode.Ctr => new CtrDecryptor(_sectorLength, BlockTransform.Encryptor(algorithm, _dataKey), CreateIv()),
            _ => new XtsDecryptor(
                _sectorLength, BlockTransform.Decryptor(algorithm, _dataKey), BlockTransform.Encryptor(algorithm, _tweakKey!), CreateIv()),
        };
    }

    private SectorIv CreateIv() => new(
        _spec.Iv,
        _spec.BlockLength,
        _sectorLength / SectorDecryptor.Unit,
        _essivKey is null ? null : BlockTransform.Encryptor(_spec.Algorithm, _essivKey));

    private void Enter()
    {
        // Counted in before the flag is read, so that Dispose either sees this call or is seen by it.
        Interlocked.Increment(ref _users);
        if (Volatile.Read(ref _disposed) != 0)
        {
            Leave();
            throw new ObjectDisposedException(nameof(SectorCipher));
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) != 0)
        {
            return;
        }

        while (_idle.TryTake(out SectorDecryptor? decryptor))
        {
            decryptor.Dispose();
        }

        _dataKey.Dispose();
        _tweakKey?.Dispose();
        _essivKey?.Dispose();
    }
}
