using System.Globalization;

namespace Qcow2Stream.Soak;

/// <summary>Reads here and there, in every way there is, gives some of it up, and holds each byte against what must be there.</summary>
internal sealed class SoakReader(SoakImage[] images, Tally tally, int seed)
{
    private const int MaxRead = 50_000;

    private readonly Random _random = new(seed);
    private readonly byte[] _buffer = new byte[MaxRead];

    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested && tally.Difference is null)
        {
            SoakImage image = images[_random.Next(images.Length)];
            try
            {
                await UseAsync(image);
                Interlocked.Increment(ref tally.Reads);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref tally.Cancellations);
            }
            catch (ObjectDisposedException)
            {
                Interlocked.Increment(ref tally.EndedByDispose);
            }
            catch (Exception e)
            {
                tally.Differs(string.Create(CultureInfo.InvariantCulture, $"reader {seed}, {image.Name}: {e}"));
            }
        }
    }

    private async Task UseAsync(SoakImage image)
    {
        int start = _random.Next(image.Disk.Length);
        int count = _random.Next(4) == 0 ? _random.Next(MaxRead) : _random.Next(1, 4097);
        Memory<byte> buffer = _buffer.AsMemory(0, count);
        buffer.Span.Fill(0xA5);
        Qcow2Chain chain = image.Chain;
        using Qcow2ChainStream stream = chain.OpenStream();
        stream.Position = start;
        switch (_random.Next(100))
        {
            case < 25:
                Check(image, start, chain.ReadAt(start, buffer.Span), count);
                break;
            case < 50:
                Check(image, start, await chain.ReadAtAsync(start, buffer), count);
                break;
            case < 65:
                Check(image, start, stream.Read(buffer.Span), count);
                break;
            case < 80:
                Check(image, start, await stream.ReadAsync(buffer), count);
                break;
            case < 92:
                using (CancellationTokenSource source = new(Soon()))
                {
                    Check(image, start, await chain.ReadAtAsync(start, buffer, source.Token), count);
                }

                break;
            case < 94:
                await CopyAsync(image, chain, start, count);
                break;
            case < 96:
                CheckMap(image, chain);
                break;
            default:
                await image.OpenAndCancelAsync(Soon());
                break;
        }
    }

    private TimeSpan Soon() => TimeSpan.FromMicroseconds(_random.Next(300));

    private async Task CopyAsync(SoakImage image, Qcow2Chain chain, int start, int count)
    {
        using MemoryStream copy = new();
        using CancellationTokenSource source = new();
        if (_random.Next(2) == 0)
        {
            source.CancelAfter(Soon());
        }

        await chain.CopyToAsync(start, count, copy, cancellationToken: source.Token);
        copy.ToArray().CopyTo(_buffer, 0);
        Check(image, start, (int)copy.Length, count);
    }

    private void Check(SoakImage image, int start, int read, int count)
    {
        int available = Math.Min(count, image.Disk.Length - start);
        int same = _buffer.AsSpan(0, read).CommonPrefixLength(image.Disk.AsSpan(start, available));
        if (read != available || same != read)
        {
            tally.Differs(string.Create(
                CultureInfo.InvariantCulture,
                $"reader {seed}, {image.Name}: {read} of {available} bytes at {start} were read, of which the first {same} are right"));
        }
    }

    /// <summary>Extents in order and without gaps, to the end.</summary>
    private void CheckMap(SoakImage image, Qcow2Chain chain)
    {
        long position = 0;
        foreach (MapExtent extent in chain.Map())
        {
            if (extent.Start != position)
            {
                tally.Differs(string.Create(CultureInfo.InvariantCulture, $"reader {seed}, {image.Name}: the map has a gap at {position}"));
            }

            position += extent.Length;
        }

        if (position != image.Disk.Length)
        {
            tally.Differs(string.Create(CultureInfo.InvariantCulture, $"reader {seed}, {image.Name}: the map ends at {position}"));
        }
    }
}
