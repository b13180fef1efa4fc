using Qcow2Stream.Mapping;
using Qcow2Stream.Mapping.Picture;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream;

/// <summary>
/// The written forms of a map, as buffered UTF-8. Each is one view of the same <see cref="MapEnumerator"/>: what the
/// form does not distinguish is made equal first, and then merged. A large map is made on all cores, with at
/// most some 32 MiB of memory besides the chain's.
/// </summary>
public static class MapOutput
{
    /// <summary>
    /// Writes a line per extent, numbers decimal and in bytes: <c>START LENGTH</c> where nothing is allocated or all
    /// is zero, <c>START LENGTH DEPTH POS</c> where it is allocated, <c>START LENGTH DEPTH POS BYTES</c> for a
    /// compressed cluster, whose BYTES at POS hold it. POS is <c>-</c> in a layer of another format, where its reader
    /// doesn't report the position. The text depends on the images' metadata alone.
    /// </summary>
    /// <param name="map">The map to write, or part of one.</param>
    /// <param name="output">Receives the lines; left open.</param>
    /// <exception cref="Qcow2Exception">A table is damaged; what comes before was written.</exception>
    /// <exception cref="OperationCanceledException">The map was cancelled (<see cref="MapEnumerator.WithCancellation"/>); what comes before was written.</exception>
    public static void WriteText(this IEnumerable<MapExtent> map, Stream output)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(output);
        using Utf8Output text = new(output);
        if (map is MapEnumerator whole)
        {
            whole.Write<TextForm>(text);
        }
        else
        {
            map.Select(e => TextForm.Of(e.ToRun())).Write<TextForm>(text);
        }
    }

    /// <summary>
    /// Writes the array that <c>qemu-img map --output=json</c> prints, with the field <c>compressed</c> that QEMU has had since
    /// 8.2. As there, holes of raw files show as zeros, if the map contains them (<see cref="MapEnumerator.WithHostHoles"/>),
    /// and a map of nothing has one entry, of no length.
    /// </summary>
    /// <inheritdoc cref="WriteText"/>
    public static void WriteJson(this IEnumerable<MapExtent> map, Stream output)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(output);
        using Utf8Output text = new(output);
        MapEnumerator? whole = map as MapEnumerator;
        bool any = whole is not null ? whole.Write<JsonForm>(text) : map.Select(JsonForm.Of).Write<JsonForm>(text);
        if (!any)
        {
            JsonForm.WriteEntry(text, HostRun.Unallocated(whole?.RangeStart ?? 0, length: 0), isFirst: true);
        }

        text.Text("]\n"u8);
    }

    /// <summary>
    /// Writes what <c>qemu-img map</c> prints: only data that is not zero, with hexadecimal numbers and file names.
    /// As there, compressed and encrypted data can't be shown.
    /// </summary>
    /// <inheritdoc cref="WriteText"/>
    /// <exception cref="Qcow2UnsupportedException">Compressed or encrypted data was met; what comes before was written.</exception>
    public static void WriteHuman(this IEnumerable<MapExtent> map, Stream output)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(output);
        using Utf8Output text = new(output);
        HumanForm.Write(map, text);
    }

    /// <summary>
    /// Draws the disk as SVG: its bytes in rows, at most 64 of them, coloured by the layer that stores them, hatched where they
    /// are compressed, dotted where they are zeros; paler where only a part is stored. With a legend and totals, in colours that
    /// colour-blind people can tell apart. Its size is bounded, whatever the disk: about 700 KB.
    /// </summary>
    /// <inheritdoc cref="WriteText"/>
    public static void WriteSvg(this MapEnumerator map, Stream output)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(output);
        MapPicture picture = map.Draw();
        MapSummary summary = map.Summarize();
        using Utf8Output text = new(output);
        new SvgWriter(text, picture, summary).Write();
    }
}
