namespace Qcow2Stream.Tests.Infrastructure;

internal readonly record struct L2Entry(ulong Value, ulong Bitmap);
