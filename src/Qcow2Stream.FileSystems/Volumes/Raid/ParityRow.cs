namespace Qcow2Stream.FileSystems.Volumes.Raid;

/// <summary>What each member has in one row of chunks.</summary>
/// <param name="P">Which member has the sum.</param>
/// <param name="Q">Which has the weighted sum; -1 if there is none.</param>
/// <param name="FirstData">Which has the first chunk of data; the others follow it, round the members.</param>
internal readonly record struct ParityRow(int P, int Q, int FirstData)
{
    /// <summary>The row of a number.</summary>
    /// <param name="layout">How rows differ from each other.</param>
    /// <param name="row">The number.</param>
    /// <param name="members">How many members there are.</param>
    /// <param name="hasQ">Whether there are two kinds of parity.</param>
    public static ParityRow Of(ParityLayout layout, long row, int members, bool hasQ)
    {
        if (layout >= ParityLayout.LeftAsymmetricQLast)
        {
            return Of((ParityLayout)(layout - ParityLayout.LeftAsymmetricQLast), row, members - 1, hasQ: false) with { Q = members - 1 };
        }

        int turn = (int)((row + (layout == ParityLayout.RotatingNRestart ? 1 : 0)) % members);
        int left = members - 1 - turn;
        int first = hasQ ? 2 : 1;
        return layout switch
        {
            ParityLayout.LeftAsymmetric or ParityLayout.RotatingNRestart => Beside(left, members, hasQ, firstData: 0),
            ParityLayout.RightAsymmetric or ParityLayout.RotatingZeroRestart => Beside(turn, members, hasQ, firstData: 0),
            ParityLayout.LeftSymmetric => Beside(left, members, hasQ, (left + first) % members),
            ParityLayout.RightSymmetric => Beside(turn, members, hasQ, (turn + first) % members),
            ParityLayout.RotatingNContinue => new ParityRow(left, (left + members - 1) % members, (left + 1) % members),
            ParityLayout.ParityFirst => Beside(0, members, hasQ, first),
            ParityLayout.ParityLast => Beside(members - first, members, hasQ, firstData: 0),
            _ => throw new GuestException($"its parity layout is {(int)layout}, which is not known"),
        };
    }

    /// <summary>The members that have data, in the order of the data.</summary>
    public IEnumerable<int> Data(int members)
    {
        for (int i = 0; i < members; i++)
        {
            int member = (FirstData + i) % members;
            if (member != P && member != Q)
            {
                yield return member;
            }
        }
    }

    /// <summary>
    /// The members in the order of their weights in Q, from the one behind Q on; those without data are left out. DDF counts all members from the first on: for
    /// those without data null stands in its order.
    /// </summary>
    /// <param name="layout">How rows differ from each other.</param>
    /// <param name="members">How many members there are.</param>
    public IEnumerable<int?> Weighted(ParityLayout layout, int members)
    {
        bool isDdf = layout is >= ParityLayout.RotatingZeroRestart and <= ParityLayout.RotatingNContinue;
        for (int i = 0; i < members; i++)
        {
            int member = isDdf || Q < 0 ? i : (Q + 1 + i) % members;
            if (member != P && member != Q)
            {
                yield return member;
            }
            else if (isDdf)
            {
                yield return null;
            }
        }
    }

    private static ParityRow Beside(int p, int members, bool hasQ, int firstData) => new(p, hasQ ? (p + 1) % members : -1, firstData);
}
