namespace Qcow2Stream.Tests.Infrastructure;

internal static class GuestDisk
{
    public static byte[] ReadWholeDisk(this Qcow2Chain chain) => chain.ReadRange(0, checked((int)chain.Length));

    public static byte[] ReadRange(this Qcow2Chain chain, long guestOffset, int length)
    {
        byte[] bytes = new byte[length];
        Assert.Equal(length, chain.ReadAt(guestOffset, bytes));
        return bytes;
    }

    /// <summary>The same bytes for the same seed, that do not compress.</summary>
    public static byte[] Noise(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static byte[] Filled(int length, byte fill)
    {
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill(fill);
        return bytes;
    }
}
