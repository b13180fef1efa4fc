namespace Qcow2Stream.Nbd.Protocol;

/// <summary>The limits that the protocol sets.</summary>
internal static class ProtocolLimits
{
    /// <summary>The longest string, such as an export's name, in bytes.</summary>
    public const int MaxString = 4096;

    /// <summary>What a client may always count on being served in one request, in bytes.</summary>
    public const uint MaxPayload = 32 << 20;
}
