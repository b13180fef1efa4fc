namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>A file's bytes in memory, holding only the pages that were written.</summary>
internal sealed class SparseBuffer
{
    private const int PageSize = 4096;

    private readonly SortedDictionary<long, byte[]> _pages = [];

    public long Length { get; private set; }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        Extend(offset + bytes.Length);
        while (bytes.Length > 0)
        {
            (long page, long within) = Math.DivRem(offset, PageSize);
            int count = (int)Math.Min(bytes.Length, PageSize - within);
            ReadOnlySpan<byte> part = bytes[..count];
            if (_pages.TryGetValue(page, out byte[]? content) || part.ContainsAnyExcept((byte)0))
            {
                content ??= _pages[page] = new byte[PageSize];
                part.CopyTo(content.AsSpan((int)within));
            }

            offset += count;
            bytes = bytes[count..];
        }
    }

    public void Extend(long length) => Length = Math.Max(Length, length);

    public byte[] ToArray()
    {
        byte[] bytes = new byte[Length];
        foreach ((long page, byte[] content) in _pages)
        {
            content.AsSpan(0, (int)Math.Min(PageSize, Length - (page * PageSize))).CopyTo(bytes.AsSpan((int)(page * PageSize)));
        }

        return bytes;
    }

    public void WriteTo(string path)
    {
        using FileStream file = File.Create(path);
        file.SetLength(Length);
        foreach ((long page, byte[] content) in _pages)
        {
            file.Position = page * PageSize;
            file.Write(content, 0, (int)Math.Min(PageSize, Length - (page * PageSize)));
        }
    }
}
