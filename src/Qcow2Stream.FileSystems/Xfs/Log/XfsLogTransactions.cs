using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>Puts transactions together from the operations of records, which may alternate, and hands on each when it is complete.</summary>
/// <param name="budget">What the memory is taken from.</param>
/// <param name="commit">What is done with a complete one.</param>
internal sealed class XfsLogTransactions(XfsLogBudget budget, Action<XfsLogTransaction> commit)
{
    private readonly Dictionary<uint, XfsLogTransaction> _open = [];

    /// <summary>Adds the operations of a record.</summary>
    public void Add(XfsLogRecord record, ReadOnlySpan<byte> operations)
    {
        for (uint left = record.Operations; left > 0 && operations.Length > 0; left--)
        {
            if (operations.Length < XfsLogLayout.Operation.HeaderLength)
            {
                throw Damaged();
            }

            uint number = BinaryPrimitives.ReadUInt32BigEndian(operations[XfsLogLayout.Operation.Transaction..]);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(operations[XfsLogLayout.Operation.Length..]);
            XfsLogOperationFlags flags = (XfsLogOperationFlags)operations[XfsLogLayout.Operation.Flags];
            if (operations[XfsLogLayout.Operation.Client] is not (XfsLogLayout.Operation.ClientIsTransaction or XfsLogLayout.Operation.ClientIsLog)
                || length > operations.Length - XfsLogLayout.Operation.HeaderLength)
            {
                throw Damaged();
            }

            Add(number, flags, record.Lsn, operations.Slice(XfsLogLayout.Operation.HeaderLength, (int)length));
            operations = operations[(XfsLogLayout.Operation.HeaderLength + (int)length)..];
        }
    }

    /// <summary>Gives up those that are not complete: of them nothing was to be seen.</summary>
    public void End()
    {
        foreach (XfsLogTransaction transaction in _open.Values)
        {
            transaction.End();
        }

        _open.Clear();
    }

    private void Add(uint number, XfsLogOperationFlags flags, ulong lsn, ReadOnlySpan<byte> region)
    {
        if (!_open.TryGetValue(number, out XfsLogTransaction? transaction))
        {
            // One that began before the tail is on the volume already.
            if ((flags & XfsLogOperationFlags.Start) != 0)
            {
                budget.Take(XfsLogBudget.Overhead);
                _open.Add(number, new XfsLogTransaction(lsn, budget));
            }

            return;
        }

        flags &= ~XfsLogOperationFlags.End;
        switch ((flags & XfsLogOperationFlags.WasContinued) != 0 ? flags & ~XfsLogOperationFlags.Continues : flags)
        {
            case XfsLogOperationFlags.None or XfsLogOperationFlags.Continues:
                transaction.Add(region);
                break;

            case XfsLogOperationFlags.WasContinued:
                transaction.Continue(region);
                break;

            case XfsLogOperationFlags.Commit:
                commit(transaction);
                Remove(number, transaction);
                break;

            case XfsLogOperationFlags.Unmount:
                Remove(number, transaction);
                break;

            default:
                throw Damaged();
        }
    }

    private void Remove(uint number, XfsLogTransaction transaction)
    {
        _open.Remove(number);
        budget.Return(XfsLogBudget.Overhead);
        transaction.End();
    }

    private static GuestException Damaged() => new("one of its operations is damaged");
}
