using System.Runtime.ExceptionServices;

namespace Qcow2Stream.FileSystems.Entries;

/// <summary>What can't be read or copied: reported to the callback if there is one, otherwise thrown.</summary>
internal sealed class Faults(Action<GuestFault>? onFault)
{
    public int Count { get; private set; }

    public void Report(string path, Exception problem)
    {
        if (onFault is null)
        {
            ExceptionDispatchInfo.Throw(problem);
        }

        Count++;
        onFault(new GuestFault(path, problem));
    }
}
