using Qcow2Stream.IO;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>What to make of a data cluster that its file does not hold to the end.</summary>
internal static class ClusterTail
{
    /// <summary>A cluster that starts inside the file may end behind it: that rest is zeros. Anything more is missing.</summary>
    /// <param name="image">The image that the cluster belongs to.</param>
    /// <param name="clusterFile">The file that holds its clusters.</param>
    /// <param name="clusterSize">In bytes.</param>
    /// <param name="run">What is being read.</param>
    /// <param name="hostOffset">Where in the file this part of it starts.</param>
    /// <param name="buffer">What was read, and room for the rest.</param>
    /// <param name="read">How many bytes were read.</param>
    public static void Clear(
        TableFile image, HostFile clusterFile, int clusterSize, in HostRun run, long hostOffset, Span<byte> buffer, int read)
    {
        if (read == buffer.Length)
        {
            return;
        }

        long fileEnd = hostOffset + read;
        long lastCluster = (hostOffset + buffer.Length - 1) & -clusterSize;
        if (!run.IsPastEnd && lastCluster >= fileEnd && clusterFile.GetLength() <= lastCluster)
        {
            image.Damaged(
                new Qcow2FormatException(
                    "the file ends early: a data cluster that lay inside it when it was mapped does not any more",
                    clusterFile.Path,
                    run.GuestOffset + (fileEnd - run.HostOffset),
                    fileEnd),
                buffer.Length - read);
        }

        buffer[read..].Clear();
    }
}
