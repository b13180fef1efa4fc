namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>What one layer alone says about one cluster or subcluster.</summary>
internal sealed record ExpectedRun
{
    private ExpectedRun(bool present, bool isZero, bool isData)
    {
        Present = present;
        IsZero = isZero;
        IsData = isData;
    }

    /// <summary>Nothing can be expected: the entry was written as it is.</summary>
    public static ExpectedRun Unknown { get; } = new(false, false, false) { IsUnknown = true };

    public bool IsUnknown { get; private init; }

    public bool Present { get; }

    public bool IsZero { get; }

    public bool IsData { get; }

    public bool IsCompressed { get; private init; }

    public long? HostOffset { get; private init; }

    public byte[]? Content { get; private init; }

    public long GuestOffset { get; init; }

    public long Length { get; init; }

    public static ExpectedRun Data(long? hostOffset, byte[] content) =>
        new(true, false, true) { HostOffset = hostOffset, Content = content };

    public static ExpectedRun Compressed(byte[] content) =>
        new(true, false, true) { IsCompressed = true, Content = content };

    public static ExpectedRun Zero(long? hostOffset) => new(true, true, false) { HostOffset = hostOffset };

    public static ExpectedRun Unallocated(long? hostOffset) => new(false, true, false) { HostOffset = hostOffset };
}
