namespace Qcow2Stream.Tests.Disks;

internal static class StreamContent
{
    /// <summary>All bytes of a stream, wherever its cursor is.</summary>
    public static byte[] ReadAll(this Stream stream)
    {
        byte[] bytes = new byte[stream.Length];
        stream.Position = 0;
        stream.ReadExactly(bytes);
        return bytes;
    }
}
