using System.Text;

namespace Qcow2Stream.Fuzz.Seeding;

/// <summary>Names as images record them.</summary>
internal static class NameSeeds
{
    private static readonly string[] Names =
    [
        "base.qcow2",
        "../up/base.raw",
        "/var/lib/images/base.qcow2",
        "file:base.qcow2",
        "nbd://example.org:10809/export",
        "sub\\dir\\.. \\base",
        "b\u00e4se \u202e.img",
        """json:{"driver":"qcow2","file":{"driver":"file","filename":"base"}}""",
        """json:{"driver":"raw","file.driver":"file","file.filename":"base"}""",
        """json:{"driver":"file","filename":"base"}""",
        """json:{"file.filename":"base","file.locking":"off","file.aio":"threads","cache.direct":false,"discard":"unmap"}""",
        """json:{"driver":"qcow2","file.filename":"base","node-name":"x","read-only":true,"auto-read-only":true}""",
        """json: { "driver" : "\u0071cow2", "file" : { "filename" : "base" } } """,
        """json:{"driver":"qcow2","file.filename":"base","backing":{"driver":"raw"}}""",
        """json:{"driver":"https","url":"https://example.org/a"}""",
        """json:{"driver":"qcow2","file.filename":"json:{}"}""",
        """json:{"driver":"qcow2","file.filename":"\ud800"}""",
        """json:{"a":{"a":{"a":{"a":{"a":[1,2.5e3,null,true]}}}}}""",
    ];

    public static IEnumerable<KeyValuePair<string, byte[]>> All =>
        Names.Select((name, i) => KeyValuePair.Create($"{i}", (byte[])[(byte)(i % 4), .. Encoding.UTF8.GetBytes(name)]));
}
