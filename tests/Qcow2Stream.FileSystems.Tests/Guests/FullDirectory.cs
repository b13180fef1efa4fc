using Qcow2Stream.FileSystems.Copying;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>A directory of a host that takes so many bytes, and no more.</summary>
/// <param name="path">The directory.</param>
/// <param name="room">How many.</param>
internal sealed class FullDirectory(string path, int room) : HostDirectory
{
    private readonly HostDirectory _directory = Open(path);

    public override string Path => _directory.Path;

    public override HostDirectory Make(HostEntryName name)
    {
        _directory.Make(name).Dispose();
        return new FullDirectory(System.IO.Path.Combine(Path, name.Text), room);
    }

    public override HostDirectory Enter(HostEntryName name) => _directory.Enter(name);

    public override bool HasDirectory(HostEntryName name) => _directory.HasDirectory(name);

    public override FileStream CreateFile(HostEntryName name) => new FullFile(System.IO.Path.Combine(Path, name.Text), room);

    public override void CreateLink(HostEntryName name, HostEntryName target) => _directory.CreateLink(name, target);

    public override void DeleteFile(HostEntryName name) => _directory.DeleteFile(name);

    public override void Finish(UnixFileMode? permissions, DateTime? modifiedUtc) => _directory.Finish(permissions, modifiedUtc);

    public override void Dispose() => _directory.Dispose();

    private sealed class FullFile(string path, int room) : FileStream(path, FileMode.CreateNew, FileAccess.Write)
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Position + buffer.Length > room)
            {
                throw new IOException("No space left on device");
            }

            base.Write(buffer);
        }
    }
}
