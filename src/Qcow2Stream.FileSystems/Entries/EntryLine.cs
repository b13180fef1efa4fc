using System.Globalization;
using Shared;

namespace Qcow2Stream.FileSystems.Entries;

/// <summary>An entry as a line of a listing. What the guest wrote is escaped.</summary>
internal static class EntryLine
{
    private const string Letters = "rwxrwxrwx";

    /// <summary>Kind and permissions, owner, group, size, time, name and, of a link, its target.</summary>
    public static string Long(GuestEntry entry, string name)
    {
        GuestUnixMode? mode = entry.UnixMode;
        string owner = mode is { } m ? string.Create(CultureInfo.InvariantCulture, $"{m.UserId,5} {m.GroupId,5}") : $"{"-",5} {"-",5}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{KindOf(entry.Kind)}{Permissions(entry, mode)} {owner} {entry.Length,12} {entry.ModifiedUtc:yyyy-MM-dd HH:mm} {Short(name)}{Target(entry)}");
    }

    public static string Short(string name) => PrintableText.Escape(name);

    private static char KindOf(GuestEntryKind kind) => kind switch
    {
        GuestEntryKind.Directory => 'd',
        GuestEntryKind.Link => 'l',
        GuestEntryKind.Special => 's',
        _ => '-',
    };

    private static string Permissions(GuestEntry entry, GuestUnixMode? mode) => mode is not { } known
        ? entry.Kind == GuestEntryKind.Link ? Letters : "?????????"
        : string.Create(Letters.Length, (int)known.Permissions, (text, bits) =>
        {
            for (int i = 0; i < text.Length; i++)
            {
                text[i] = (bits & (0x100 >> i)) != 0 ? Letters[i] : '-';
            }

            Mark(text, 2, bits & (int)UnixFileMode.SetUser, 's');
            Mark(text, 5, bits & (int)UnixFileMode.SetGroup, 's');
            Mark(text, 8, bits & (int)UnixFileMode.StickyBit, 't');
        });

    private static void Mark(Span<char> text, int place, int isSet, char letter)
    {
        if (isSet != 0)
        {
            text[place] = text[place] == '-' ? char.ToUpperInvariant(letter) : letter;
        }
    }

    private static string Target(GuestEntry entry) =>
        entry.Kind == GuestEntryKind.Link ? $" -> {PrintableText.Escape(entry.LinkTarget)}" : "";
}
