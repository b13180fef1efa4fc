using Qcow2Stream.Images;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>One image of a chain: answers where its bytes live, and reads them. Owns its file.</summary>
internal abstract class Layer(HostFile file, ITranslator translator) : IDisposable
{
    public ITranslator Translator { get; } = translator;

    public abstract ImageFormat Format { get; }

    /// <summary>QEMU's name for the format.</summary>
    public virtual string FormatName => FormatNames.Of(Format);

    /// <summary>The header, for a qcow2 image.</summary>
    public virtual Qcow2Header? Header => null;

    /// <summary>Whether its data is encrypted; compressed clusters never are.</summary>
    public virtual bool IsEncrypted => false;

    /// <summary>The size of a cluster in bytes, for formats that have them.</summary>
    public virtual int? ClusterSize => Header?.ClusterSize;

    /// <summary>What the image records of its backing file; null if it has none.</summary>
    public virtual BackingReference? Backing => Header is { } header ? BackingReference.Of(header) : null;

    /// <summary>The file that holds its tables, for formats whose tables are read here.</summary>
    public virtual TableFile? Tables => null;

    /// <summary>The image's file.</summary>
    public HostFile File { get; } = file;

    /// <summary>The file that holds its data: the image itself, unless it has an external data file.</summary>
    public virtual HostFile ClusterFile => File;

    /// <summary>Fills <paramref name="buffer"/> with the first bytes of a run that <see cref="Translator"/> found stored here.</summary>
    /// <param name="run">Of kind Data or Compressed.</param>
    /// <param name="buffer">At most as long as the run.</param>
    public abstract void Read(in HostRun run, Span<byte> buffer);

    /// <inheritdoc cref="Read"/>
    public abstract ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken);

    public virtual void Dispose() => Disposal.OfAll(File, ClusterFile);
}
