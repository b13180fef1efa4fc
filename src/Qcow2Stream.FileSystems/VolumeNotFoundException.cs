using Shared;

namespace Qcow2Stream.FileSystems;

/// <summary>A guest has no volume of the given name.</summary>
public sealed class VolumeNotFoundException : GuestException
{
    internal VolumeNotFoundException(string name, IReadOnlyList<GuestVolume> volumes)
        : base($"there is no volume '{PrintableText.Escape(name)}'; there are {string.Join(", ", volumes)}")
    {
        Name = name;
        Volumes = volumes;
    }

    /// <summary>The name that was asked for.</summary>
    public string Name { get; }

    /// <summary>The volumes that exist.</summary>
    public IReadOnlyList<GuestVolume> Volumes { get; }
}
