namespace Qcow2Stream.Nbd.Protocol;

/// <summary>The data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT.</summary>
/// <param name="Name">The export that is meant.</param>
/// <param name="Queries">Names of contexts, or patterns for several.</param>
internal sealed record ContextRequest(string Name, IReadOnlyList<string> Queries)
{
    /// <summary>Null if the data isn't exactly one.</summary>
    public static ContextRequest? Parse(OptionData data)
    {
        if (!data.TryReadString(out string name) || !data.TryReadUInt32(out uint count))
        {
            return null;
        }

        // The count says nothing about the data's length until it has been gone through.
        List<string> queries = [];
        for (uint i = 0; i < count; i++)
        {
            if (!data.TryReadString(out string query))
            {
                return null;
            }

            queries.Add(query);
        }

        return data.IsAtEnd ? new ContextRequest(name, queries) : null;
    }
}
