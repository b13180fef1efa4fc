using DiscUtils.Streams;

namespace Qcow2Stream.Cli.Guest;

/// <summary>A part of the guest's disk that may hold a file system: a partition, or the whole disk.</summary>
internal sealed class GuestVolume
{
    public const int WholeDisk = 0;

    private readonly Qcow2Chain _chain;

    public GuestVolume(Qcow2Chain chain, Partition partition)
    {
        _chain = chain;
        Partition = partition;
        using Stream volume = OpenStream();
        Content = ContentKind.Of(volume);
    }

    public Partition Partition { get; }

    public ContentKind Content { get; }

    /// <summary>How much of it the disk doesn't have, in bytes.</summary>
    public long MissingBytes => Partition.Length - Available;

    private long Available => Math.Clamp(_chain.Length - Partition.Start, 0, Partition.Length);

    /// <summary>The file system on it, with a cursor of its own.</summary>
    /// <exception cref="GuestException">It holds none that can be read; the message says what it holds.</exception>
    public GuestFileSystem OpenFileSystem()
    {
        if (Content.Reader is not { } reader)
        {
            throw new GuestException($"{this} holds no file system that can be read: found {Content.Name}");
        }

        Stream volume = OpenStream();
        try
        {
            return GuestReader.Call(() => reader(volume, Content.Name));
        }
        catch (GuestException e)
        {
            volume.Dispose();
            throw new GuestException($"the {Content.Name} file system on {this} can't be read: {e.Message}", e);
        }
    }

    public override string ToString() => Partition.Number == WholeDisk ? "the disk" : $"partition {Partition.Number}";

    private SubStream OpenStream() =>
        new(_chain.OpenStream(), Ownership.Dispose, Available == 0 ? 0 : Partition.Start, Available);
}
