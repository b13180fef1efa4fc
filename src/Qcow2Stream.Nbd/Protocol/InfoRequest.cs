
namespace Qcow2Stream.Nbd.Protocol;

/// <summary>The data of NBD_OPT_INFO and NBD_OPT_GO.</summary>
/// <param name="Name">The export that is meant.</param>
/// <param name="Wanted">What the client asks about it.</param>
internal sealed record InfoRequest(string Name, IReadOnlySet<InfoType> Wanted)
{
    /// <summary>Null if the data isn't exactly one.</summary>
    public static InfoRequest? Parse(OptionData data)
    {
        if (!data.TryReadString(out string name) || !data.TryReadUInt16(out ushort count))
        {
            return null;
        }

        HashSet<InfoType> wanted = [];
        for (int i = 0; i < count; i++)
        {
            if (!data.TryReadUInt16(out ushort info))
            {
                return null;
            }

            wanted.Add((InfoType)info);
        }

        return data.IsAtEnd ? new InfoRequest(name, wanted) : null;
    }
}
