using System.Buffers;
using System.Runtime.InteropServices;
using Qcow2Stream.Format;
using Qcow2Stream.Text;

namespace Qcow2Stream.Images;

/// <summary>
/// Loads pieces of an image's tables, checked to lie inside the file, and in host byte order. Code that looks at a
/// table, to translate or to check, gets it from here.
/// </summary>
internal static class TablePieces
{
    // Tables are loaded in pieces of at most 64 KiB: an L2 table of an image with 2 MiB clusters is 2 MiB long,
    // and one look-up must not cost that much time, nor one table per layer of a long chain that much memory.
    public const int MaxWordsLog2 = 13;
    public const int MaxWords = 1 << MaxWordsLog2;

    /// <summary>Checks an L1 entry's pointer: an L2 table is one aligned cluster inside the file.</summary>
    /// <exception cref="Qcow2FormatException">It is not; in lenient mode only if it is not aligned, which QEMU refuses too.</exception>
    public static void CheckL2Table(Qcow2Image image, long l2TableOffset, L1Location l1, long l1Index)
    {
        Qcow2FormatException Error(string problem) => new(
            $"L1 entry {l1Index}: L2 table offset 0x{l2TableOffset:x} {problem}",
            image.File.Path,
            l1Index * image.Geometry.L2Coverage,
            l1.TableOffset + (l1Index * L1Entry.Length));

        if (!image.Geometry.IsClusterAligned(l2TableOffset))
        {
            throw Error("is not cluster-aligned");
        }

        long end = l2TableOffset + image.Geometry.ClusterSize;
        long fileLength = image.FileLengthFor(end);
        if (end > fileLength && !image.IsLenient)
        {
            throw Error($"does not lie inside the file of {fileLength} bytes");
        }
    }

    /// <summary>As <see cref="LoadAsync"/>, for callers that wait.</summary>
    public static ulong[] Load(TableFile image, long hostOffset, int words)
    {
        ulong[] table = GC.AllocateUninitializedArray<ulong>(words);
        LoadAsync(image, hostOffset, table, guestOffset: null, async: false, default).Now();
        return table;
    }

    /// <summary>
    /// Whether a piece is all zeros without a look at it: it lies in a hole of the host file, or, in lenient mode, past its end, which is
    /// reported as by <see cref="LoadAsync"/>. So gigabytes of tables that aren't stored anywhere cost nothing.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="hostOffset">Where the piece starts.</param>
    /// <param name="words">How many words it has.</param>
    /// <param name="guestOffset">The guest's offset of its first entry, for messages.</param>
    public static bool IsEmpty(TableFile image, long hostOffset, int words, long? guestOffset)
    {
        int length = words * sizeof(ulong);
        long fileLength = image.FileLengthFor(hostOffset + length);
        if (hostOffset < fileLength)
        {
            return hostOffset + length <= fileLength && image.File.GetHoleLength(hostOffset, length) == length;
        }

        image.Damaged(Truncated(image, hostOffset, read: 0, length, guestOffset));
        return true;
    }

    /// <summary>Fills <paramref name="buffer"/> from a structure that isn't a table of words.</summary>
    /// <exception cref="Qcow2FormatException">The file ends first; <paramref name="what"/> says inside what.</exception>
    public static async ValueTask ReadExactlyAsync(
        TableFile image, long hostOffset, Memory<byte> buffer, string what, bool async, CancellationToken cancellationToken)
    {
        int read = await image.File.ReadAtAsync(hostOffset, buffer, async, cancellationToken).ConfigureAwait(false);
        if (read < buffer.Length)
        {
            throw new Qcow2FormatException($"the file ends inside {what}", image.File.Path, hostOffset: hostOffset + read);
        }
    }

    /// <summary>Fills <paramref name="table"/> with the 64-bit words at <paramref name="hostOffset"/>; missing ones are 0 in lenient mode.</summary>
    /// <param name="image">The image.</param>
    /// <param name="hostOffset">In its file, in bytes.</param>
    /// <param name="table">Is filled.</param>
    /// <param name="guestOffset">Where the disk range that the words describe starts, for messages.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="Qcow2FormatException">The file ends before the last word.</exception>
    public static async ValueTask LoadAsync(
        TableFile image, long hostOffset, ulong[] table, long? guestOffset, bool async, CancellationToken cancellationToken)
    {
        int read = async
            ? await ReadAsync(image.File, hostOffset, table, cancellationToken).ConfigureAwait(false)
            : image.File.ReadAt(hostOffset, MemoryMarshal.AsBytes(table.AsSpan()));
        int length = table.Length * sizeof(ulong);
        image.CountTable(length);
        if (read < length)
        {
            image.Damaged(Truncated(image, hostOffset, read, length, guestOffset));
            MemoryMarshal.AsBytes(table.AsSpan())[read..].Clear();
        }

        BigEndianWords.ToHostOrder(table);
    }

    private static Qcow2FormatException Truncated(TableFile image, long hostOffset, int read, int length, long? guestOffset) => new(
        $"the file ends inside a table, {read} bytes into the {length} to be read", image.File.Path, guestOffset, hostOffset);

    /// <summary>An array of words can't be used as memory of bytes, so the bytes are copied.</summary>
    private static async ValueTask<int> ReadAsync(HostFile file, long hostOffset, ulong[] table, CancellationToken cancellationToken)
    {
        int length = table.Length * sizeof(ulong);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int read = await file.ReadAtAsync(hostOffset, buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            buffer.AsSpan(0, read).CopyTo(MemoryMarshal.AsBytes(table.AsSpan()));
            return read;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
