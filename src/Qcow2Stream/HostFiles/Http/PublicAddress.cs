using System.Net;
using System.Net.Sockets;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>Which addresses anybody can reach, as against those of this host and of the network that it is in.</summary>
internal static class PublicAddress
{
    // What IANA's registry of special-purpose addresses lists, but for a few anycast services that serve no files.
    private static readonly IPNetwork[] Inner4 =
    [
        .. Networks("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        .. Networks("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        .. Networks("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),

        // Azure's own services answer there, for each machine by itself.
        .. Networks("168.63.129.16/32"),
    ];

    // All of IPv6 that is given out to networks; within it protocols' own numbers (Teredo and others), and documentation.
    private static readonly IPNetwork Given6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] Inner6 = Networks("2001::/23", "2001:db8::/32", "3fff::/20");

    // Of these, the IPv4 address that is in them is connected to: at which byte it starts.
    private static readonly (IPNetwork Network, int At)[] Translated =
    [
        (IPNetwork.Parse("64:ff9b::/96"), 12),
        (IPNetwork.Parse("2002::/16"), 2),
    ];

    /// <summary>Whether an address is public. What isn't known to be isn't.</summary>
    public static bool Is(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (plain.AddressFamily == AddressFamily.InterNetwork)
        {
            return !Inner4.Any(network => network.Contains(plain));
        }

        foreach ((IPNetwork network, int at) in Translated)
        {
            if (network.Contains(plain))
            {
                return Is(new IPAddress(plain.GetAddressBytes().AsSpan(at, 4)));
            }
        }

        return plain.AddressFamily == AddressFamily.InterNetworkV6
            && Given6.Contains(plain) && !Inner6.Any(network => network.Contains(plain));
    }

    /// <summary>Whether a host's name alone says that it isn't public: an address in figures, or this host's own name.</summary>
    public static bool IsInnerByName(Uri uri) => IPAddress.TryParse(uri.IdnHost, out IPAddress? address)
        ? !Is(address)
        : uri.IdnHost.TrimEnd('.') is var host
            && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase));

    private static IPNetwork[] Networks(params string[] networks) => [.. networks.Select(IPNetwork.Parse)];
}
