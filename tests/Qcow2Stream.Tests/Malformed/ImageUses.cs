namespace Qcow2Stream.Tests.Malformed;

/// <summary>All that can be asked of one image, each by itself and in bounds.</summary>
/// <param name="image">The image.</param>
/// <param name="options">How to open it.</param>
/// <param name="buffer">Receives what is read.</param>
/// <param name="async">Whether it is read by the asynchronous members.</param>
internal sealed class ImageUses(byte[] image, Qcow2OpenOptions options, byte[] buffer, bool async)
{
    private const int MostExtents = 2000;

    /// <summary>What is read of the image for the use at hand.</summary>
    public CountedFile File { get; private set; } = new(image);

    /// <summary>What works on a stream.</summary>
    public IEnumerable<(string What, Action Action)> OfStream()
    {
        yield return ("open", () => With(_ => { }));
        yield return ("read", () => With(ReadEnds));
        yield return ("map", () => With(c => _ = c.Map().Take(MostExtents).Count()));
        yield return ("text map", () => With(c => c.Map(0, Math.Min(c.Length, 1L << 32)).WriteText(new FullStream(() => throw new Qcow2Exception("full")))));
        if (options.Format == ImageFormat.Qcow1)
        {
            yield break;
        }

        yield return ("snapshot", () => With(ReadEnds, "second"));
        yield return ("state", () => With(ReadStates));
        yield return ("changes", () => With(c => _ = c.GetChanges(DiskPoint.Snapshot("first"), DiskPoint.Active).Take(MostExtents).Count()));
        yield return ("bitmaps", () => With(c => _ = c.GetBitmaps().Sum(b => b.GetDirtyExtents().Take(MostExtents).Count())));
        yield return ("check", () =>
        {
            File = new CountedFile(image);
            using ImageCheck check = ImageCheck.Open(File, options);
            _ = check.Run().Take(MostExtents).Count();
        }
        );
    }

    /// <summary>What works on a file of the host.</summary>
    public IEnumerable<(string What, Action Action)> OfFile(string path)
    {
        yield return ("info", () => new[] { ImageInfo.Read(path) }.WriteText(Stream.Null));
        yield return ("header", () => _ = HeaderDump.Read(path).ToString());
        yield return ("inspect", () => _ = ImageInspection.Inspect(path, options).Count());
    }

    private void With(Action<Qcow2Chain> use, string? snapshot = null)
    {
        File = new CountedFile(image);
        using Qcow2Chain chain = Qcow2Chain.Open(File, options with { Snapshot = snapshot });
        use(chain);
    }

    private void ReadEnds(Qcow2Chain chain)
    {
        Exception? first = null;
        foreach (long start in new[] { 0, Math.Max(0, chain.Length - buffer.Length) })
        {
            // Whether or not all of it can be read, parts are asked for too.
            foreach (int length in new[] { buffer.Length, 100 })
            {
                Exception? thrown = Record.Exception(() => _ = async
                    ? chain.ReadAtAsync(start, buffer.AsMemory(0, length)).AsTask().GetAwaiter().GetResult()
                    : chain.ReadAt(start, buffer.AsSpan(0, length)));
                first = first is null or Qcow2Exception ? thrown ?? first : first;
            }
        }

        if (first is not null)
        {
            throw first;
        }
    }

    private void ReadStates(Qcow2Chain chain)
    {
        foreach (Qcow2Snapshot snapshot in chain.GetSnapshots().Take(10))
        {
            using Stream state = chain.OpenVmState(snapshot);
            _ = state.Read(buffer);
        }
    }
}
