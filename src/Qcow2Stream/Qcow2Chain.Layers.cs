using DiscUtils.Streams;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Layers;
using Qcow2Stream.Translation;

namespace Qcow2Stream;

/// <content>The disk as of one layer, over the layers below it or over another disk.</content>
public sealed partial class Qcow2Chain
{
    /// <summary>Opens what the layer at <paramref name="depth"/> holds over <paramref name="parent"/>.</summary>
    /// <param name="depth">A layer of this chain, which must stay open as long as the stream.</param>
    /// <param name="parent">What shows where the layer holds nothing; null for the layers below it in this chain.</param>
    /// <param name="ownsParent">Whether the stream disposes <paramref name="parent"/> when it is disposed.</param>
    internal Qcow2ChainStream OpenLayer(int depth, SparseStream? parent, bool ownsParent)
    {
        Inner.ThrowIfDisposed();
        RawLayer? below = parent is null ? null : new(StreamHostFile.Of(parent, leaveOpen: !ownsParent), parent.Length);
        Layer[] layers = below is null ? [.. Inner.Layers.Skip(depth)] : [Inner.Layers[depth], below];
        ChainTranslator translator = new([.. layers.Select(l => l.Translator)]);
        OpenChain view = new(layers, translator, Inner.Options, owned: below is null ? [] : [below]);
        return new Qcow2ChainStream(new Qcow2Chain(view), ownsChain: true);
    }
}
