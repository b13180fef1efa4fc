using DiscUtils;
using DiscUtils.Streams;
using Shared;

namespace Qcow2Stream.Cli.Converting;

/// <summary>Writes a disk in a format: raw by the library itself, others by DiscUtils' builders.</summary>
/// <param name="chain">The disk.</param>
/// <param name="format">What to write.</param>
internal sealed class Conversion(Qcow2Chain chain, OutputFormat format)
{
    // One read of a compressed image is decompressed on all cores.
    private const int BufferSize = 4 << 20;

    private const long VhdBlock = 2 << 20;
    private const long MaxVhd = 2040L << 30;
    private const long MaxVhdx = 64L << 40;

    // Of a file that grows, as VMware has it; the builder's numbers of sectors go no further either, tables included.
    private const long MaxVmdk = 2L << 40;
    private const long MaxVmdkFile = uint.MaxValue * 512L;

    // As `qemu-img -o force_size` has it: the largest geometry says that it is the size in the footer that counts.
    private static readonly Geometry SizeCounts = new(65_535, 16, 255, bytesPerSector: 512);

    /// <summary>Writes it.</summary>
    /// <param name="file">A new file.</param>
    /// <param name="name">The name that it will have.</param>
    /// <param name="progress">Receives how many bytes are done; may be null.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The file's length.</returns>
    public long Write(FileStream file, string name, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        if (format == OutputFormat.Raw)
        {
            chain.CopySparseToAsync(file, progress, cancellationToken).GetAwaiter().GetResult();
            return file.Length;
        }

        using Stream built = Build(name);
        SparseWriter writer = new(file);
        byte[] buffer = new byte[BufferSize];
        long done = 0;
        for (int read; (read = built.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            writer.Write(buffer.AsSpan(0, read));
            done += read;
            progress?.Report(new WorkProgress(done, built.Length));
        }

        writer.Finish();
        return file.Length;
    }

    private Stream Build(string name)
    {
        (DiskImageBuilder builder, long unit, long most) = format switch
        {
            OutputFormat.Vhd => ((DiskImageBuilder)new DiscUtils.Vhd.DiskBuilder { Geometry = SizeCounts }, VhdBlock, MaxVhd),
            OutputFormat.Vhdx => (new DiscUtils.Vhdx.DiskBuilder { DiskType = DiscUtils.Vhdx.DiskType.Dynamic }, 512, MaxVhdx),
            _ => (new DiscUtils.Vmdk.DiskBuilder { DiskType = DiscUtils.Vmdk.DiskCreateType.MonolithicSparse }, 512, MaxVmdk),
        };
        if (chain.Length is 0 || chain.Length > most)
        {
            throw new IOException(chain.Length == 0
                ? "the disk has no bytes; only raw can hold that (--format raw)"
                : $"the disk has {ByteSize.Text(chain.Length)}; {format.ToString().ToLowerInvariant()} holds {most >> 30} GiB at most (to write it all the same: --format raw)");
        }

        // The builder of VHD makes the last block as short as the disk, where every reader expects a whole one.
        long zeros = -chain.Length & (unit - 1);
        SparseStream disk = chain.OpenStream();
        builder.Content = zeros == 0 ? disk : new ConcatStream(Ownership.Dispose, [disk, new ZeroStream(zeros)]);
        Stream built = builder.Build(PlainName(name)).Single().OpenStream();
        if (format == OutputFormat.Vmdk && built.Length > MaxVmdkFile)
        {
            built.Dispose();
            throw new IOException("as much as is stored does not go into a vmdk (to write it all the same: --format raw)");
        }

        return built;
    }

    /// <summary>A vmdk has its own name in a text of its own, between quotation marks.</summary>
    private static string PlainName(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        return string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ' ' ? c : '_'));
    }
}
