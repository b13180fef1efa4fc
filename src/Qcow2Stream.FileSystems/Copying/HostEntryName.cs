using System.Text;

namespace Qcow2Stream.FileSystems.Copying;

/// <summary>A name that is made on the host.</summary>
/// <param name="Text">For messages, and for systems whose names are text.</param>
/// <param name="Bytes">For those whose names are bytes.</param>
internal readonly record struct HostEntryName(string Text, byte[] Bytes)
{
    /// <summary>A name that is the host's own.</summary>
    public static HostEntryName OfHost(string name) => new(name, Encoding.UTF8.GetBytes(name));

    /// <summary>What a guest calls an entry.</summary>
    public static HostEntryName Of(GuestEntry entry) => new(entry.Name, entry.NameBytes);

    /// <summary>As a string of C.</summary>
    public byte[] Terminated() => [.. Bytes, 0];
}
