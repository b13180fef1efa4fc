using Qcow2Stream.Layers;

namespace Qcow2Stream;

/// <summary>One layer of an open chain: the top image, or one of the backing files below it. Immutable.</summary>
public sealed class ImageLayer
{
    internal ImageLayer(int depth, Layer layer)
    {
        Depth = depth;
        Path = layer.File.Path;
        DataPath = layer.ClusterFile.Path;
        Format = layer.Format;
        FormatName = layer.FormatName;
        Length = layer.Translator.Length;
        Header = layer.Header;
    }

    /// <summary>The layer's place in the chain: 0 is the top image, 1 its backing file, and so on.</summary>
    public int Depth { get; }

    /// <summary>
    /// The file's path as it was opened: a backing file's recorded name, taken from the directory of the image that
    /// names it. Null for a stream without a name. Below the top layer it is untrusted text.
    /// </summary>
    public string? Path { get; }

    /// <summary>The file that holds the layer's data: the same as <see cref="Path"/>, unless the image has an external data file.</summary>
    public string? DataPath { get; }

    /// <summary>The layer's format.</summary>
    public ImageFormat Format { get; }

    /// <summary>
    /// QEMU's name for the format: "raw", "qcow2", "qcow"; where <see cref="Format"/> is <see cref="ImageFormat.Other"/>,
    /// the name that the image above records, such as "vmdk".
    /// </summary>
    public string FormatName { get; }

    /// <summary>The size in bytes of the guest disk that this layer describes; it may differ from the chain's.</summary>
    public long Length { get; }

    /// <summary>The image's header; null unless it is qcow2, version 2 or 3.</summary>
    public Qcow2Header? Header { get; }
}
