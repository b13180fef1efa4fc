using System.Globalization;
using System.Text;
using System.Text.Json;
using Qcow2Stream.FileSystems.Entries;
using Shared;

namespace Qcow2Stream.FileSystems;

/// <summary>The written form of listings, as UTF-8.</summary>
public static class EntryOutput
{
    private const int FlushAt = 1 << 16;

    /// <summary>
    /// Writes an array of objects: <c>name</c>, <c>kind</c>, <c>size</c> in bytes, <c>modified</c> (UTC) and, where the file system
    /// keeps them, <c>mode</c> (octal), <c>uid</c>, <c>gid</c>; for links their <c>target</c>. Names are as the guest has them,
    /// escaped as JSON does it.
    /// </summary>
    /// <param name="entries">The entries; <c>name</c> is their path.</param>
    /// <param name="output">Receives the JSON; left open.</param>
    /// <param name="onFault">Receives what can't be read, which is left out. Null: the first fault ends the writing with its exception.</param>
    /// <exception cref="GuestException">An entry can't be read, and <paramref name="onFault"/> is null.</exception>
    /// <exception cref="Qcow2Exception">The image can't be read, and <paramref name="onFault"/> is null.</exception>
    public static void WriteJson(this IEnumerable<GuestTreeEntry> entries, Stream output, Action<GuestFault>? onFault = null)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(output);
        Faults faults = new(onFault);
        using (Utf8JsonWriter json = new(output, JsonStyle.Options))
        {
            json.WriteStartArray();
            foreach ((string path, GuestEntry entry) in entries)
            {
                try
                {
                    Write(json, path, entry);
                }
                catch (IOException e)
                {
                    faults.Report(path, e);
                }

                if (json.BytesPending > FlushAt)
                {
                    json.Flush();
                }
            }

            json.WriteEndArray();
        }

        output.Write("\n"u8);
    }

    /// <summary>Writes a line for each entry, for people. Text of the guest is escaped.</summary>
    /// <param name="entries">The entries, each named by its path.</param>
    /// <param name="isLong">Whether a line has more than the name: kind and permissions, owner, group, size in bytes, time (UTC) and, of a link, its target.</param>
    /// <param name="output">Receives the text; left open.</param>
    /// <param name="onFault">Receives what can't be read, which is left out. Null: the first fault ends the writing with its exception.</param>
    /// <inheritdoc cref="WriteJson" path="/exception"/>
    public static void WriteText(this IEnumerable<GuestTreeEntry> entries, bool isLong, Stream output, Action<GuestFault>? onFault = null)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(output);
        Faults faults = new(onFault);
        using StreamWriter text = new(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), FlushAt, leaveOpen: true);
        foreach ((string path, GuestEntry entry) in entries)
        {
            string line;
            try
            {
                line = isLong ? EntryLine.Long(entry, path) : EntryLine.Short(path);
            }
            catch (IOException e)
            {
                faults.Report(path, e);
                continue;
            }

            text.WriteLine(line);
        }
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
