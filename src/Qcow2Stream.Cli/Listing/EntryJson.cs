using System.Globalization;
using System.Text.Json;
using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli.Listing;

/// <summary>
/// A listing as an array of objects: <c>name</c>, <c>kind</c>, <c>size</c> in bytes, <c>modified</c> (UTC) and, where the file system
/// keeps them, <c>mode</c> (octal), <c>uid</c>, <c>gid</c>; for links their <c>target</c>. Names are as the guest has them,
/// escaped as JSON does it.
/// </summary>
internal static class EntryJson
{
    private const int FlushAt = 1 << 16;

    /// <summary>Writes the entries; those that can't be read are reported, and left out.</summary>
    public static void Write(IEnumerable<(string Name, GuestEntry Entry)> entries, Stream target, GuestFaults faults)
    {
        using (Utf8JsonWriter json = new(target, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartArray();
            foreach ((string name, GuestEntry entry) in entries)
            {
                try
                {
                    Write(json, name, entry);
                }
                catch (IOException e)
                {
                    faults.Report(name, e.Message);
                }

                if (json.BytesPending > FlushAt)
                {
                    json.Flush();
                }
            }

            json.WriteEndArray();
        }

        target.WriteByte((byte)'\n');
    }

    private static void Write(Utf8JsonWriter json, string name, GuestEntry entry)
    {
        // All that can fail is asked before anything is written.
        (GuestEntryKind kind, long size, DateTime modified, GuestUnixMode? mode) = (entry.Kind, entry.Length, entry.ModifiedUtc, entry.UnixMode);
        string? target = kind == GuestEntryKind.Link ? entry.LinkTarget : null;
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("kind", kind switch
        {
            GuestEntryKind.Directory => "directory",
            GuestEntryKind.Link => "link",
            GuestEntryKind.Special => "special",
            _ => "file",
        });
        json.WriteNumber("size", size);
        json.WriteString("modified", modified.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        if (mode is { } unix)
        {
            json.WriteString("mode", Convert.ToString((int)unix.Permissions, 8).PadLeft(4, '0'));
            json.WriteNumber("uid", unix.UserId);
            json.WriteNumber("gid", unix.GroupId);
        }

        if (target is not null)
        {
            json.WriteString("target", target);
        }

        json.WriteEndObject();
    }
}
