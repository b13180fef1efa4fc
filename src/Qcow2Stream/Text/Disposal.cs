using System.Runtime.ExceptionServices;

namespace Qcow2Stream.Text;

/// <summary>Closes several things, some of which are the caller's own streams and may throw: that leaves none of the others open.</summary>
internal static class Disposal
{
    /// <summary>Disposes all of them in order, and then throws the first exception that one of them threw.</summary>
    public static void OfAll(params IEnumerable<IDisposable?> parts)
    {
        ExceptionDispatchInfo? first = null;
        foreach (IDisposable? part in parts)
        {
            try
            {
                part?.Dispose();
            }
            catch (Exception e)
            {
                first ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        first?.Throw();
    }
}
