using Qcow2Stream.Format;

namespace Qcow2Stream.Images;

/// <summary>Reads an image's bitmap directory, entry by entry: nothing is allocated by what a field claims.</summary>
internal static class BitmapDirectory
{
    // QEMU's own limit: a kibibyte for each of 65 535 bitmaps.
    private const ulong MaxDirectorySize = 65_535 * 1024;

    /// <summary>The bitmaps, in the order of the directory.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public static async ValueTask<IReadOnlyList<Qcow2Bitmap>> ListAsync(
        Qcow2Image image, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken) =>
        (await ReadAsync(image, options, async, cancellationToken).ConfigureAwait(false)).ConvertAll(e => new Qcow2Bitmap(image, e));

    /// <summary>Reads all entries, in the order of the directory.</summary>
    /// <exception cref="Qcow2FormatException">The directory is damaged.</exception>
    /// <exception cref="Qcow2UnsupportedException">It passes a limit of the options, or holds what is not known.</exception>
    public static async ValueTask<List<BitmapEntry>> ReadAsync(
        Qcow2Image image, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken)
    {
        string? path = image.File.Path;
        List<BitmapEntry> entries = [];
        if (BitmapsExtension.Parse(image.Header, path) is not { } extension)
        {
            return entries;
        }

        if (extension.Count > options.MaxBitmaps)
        {
            throw new Qcow2UnsupportedException(
                "many bitmaps", $"there are {extension.Count} bitmaps, more than the {options.MaxBitmaps} that MaxBitmaps allows", path)
            {
                Hint = nameof(Qcow2OpenOptions.MaxBitmaps),
            };
        }

        (ulong start, ulong size) = (extension.DirectoryOffset, extension.DirectorySize);
        if (start > long.MaxValue || !image.Geometry.IsClusterAligned((long)start) || size is 0 or > MaxDirectorySize)
        {
            throw new Qcow2FormatException(
                $"the bitmap directory (offset 0x{start:x}, {size} bytes) must be cluster-aligned and have 1 to {MaxDirectorySize} bytes", path);
        }

        long position = (long)start;
        long end = position + (long)size;
        byte[] fixedPart = new byte[BitmapEntry.FixedLength];
        byte[] name = new byte[ushort.MaxValue];
        for (uint i = 0; i < extension.Count; i++)
        {
            await TablePieces.ReadExactlyAsync(image, position, fixedPart, "the bitmap directory", async, cancellationToken)
                .ConfigureAwait(false);
            long length = BitmapEntry.LengthOf(fixedPart);
            if (position + length > end)
            {
                throw new Qcow2FormatException(
                    $"bitmap {i} of {extension.Count} runs over the end of the bitmap directory", path, hostOffset: position);
            }

            Memory<byte> nameBytes = name.AsMemory(0, BitmapEntry.NameSize(fixedPart));
            await TablePieces.ReadExactlyAsync(
                image, position + BitmapEntry.NameOffset(fixedPart), nameBytes, "the bitmap directory", async, cancellationToken).ConfigureAwait(false);
            entries.Add(BitmapEntry.Parse(fixedPart, nameBytes.Span, image.Geometry, path, position));
            position += length;
        }

        return entries;
    }
}
