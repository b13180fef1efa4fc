using Qcow2Stream.Images;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>An image of VMware: a descriptor, and the extents that it names. Owns its files.</summary>
internal sealed class VmdkLayer(HostFile file, VmdkImage image, VmdkTranslator translator, VmdkGrains grains) : Layer(file, translator)
{
    public override ImageFormat Format => ImageFormat.Other;

    public override string FormatName => FormatNames.Vmdk;

    public override BackingReference? Backing => image.Backing;

    public override void Read(in HostRun run, Span<byte> buffer)
    {
        VmdkPlace place;
        for (int done = 0; done < buffer.Length; done += (int)place.Length)
        {
            place = Stored(run.GuestOffset + done, translator.FindAsync(run.GuestOffset + done, buffer.Length - done, async: false, default).Now());
            grains.Read(place, run.GuestOffset + done, buffer.Slice(done, (int)place.Length));
        }
    }

    public override async ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        VmdkPlace place;
        for (int done = 0; done < buffer.Length; done += (int)place.Length)
        {
            long position = run.GuestOffset + done;
            place = Stored(
                position, await translator.FindAsync(position, buffer.Length - done, async: true, cancellationToken).ConfigureAwait(false));
            await grains.ReadAsync(place, position, buffer.Slice(done, (int)place.Length), async: true, cancellationToken).ConfigureAwait(false);
        }
    }

    public override void Dispose()
    {
        try
        {
            image.Dispose();
        }
        finally
        {
            base.Dispose();
        }
    }

    /// <summary>What the translator found stored is asked for again, and its tables may have been read again since.</summary>
    private VmdkPlace Stored(long guestOffset, in VmdkPlace place) => place.Kind is RunKind.Data or RunKind.Compressed
        ? place
        : throw new Qcow2FormatException("the image changed while it was read", File.Path, guestOffset);
}
