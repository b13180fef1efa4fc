using System.CommandLine;

namespace Qcow2Stream.Cli;

/// <summary>Opens what the command line names as an image: a file, or an address; with the options of the latter.</summary>
internal sealed class RemoteOptions
{
    private readonly Option<FileInfo> _headerFile = new("--header-file")
    {
        Description = "HTTP headers for IMAGE's server, one 'Name: value' per line, such as Authorization; for images at an address.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _allowUnversioned = new("--allow-unversioned")
    {
        Description = "Reads files whose server gives no ETag and no Last-Modified, so that it isn't noticed if they change meanwhile.",
    };

    private readonly Option<string> _followRedirects = new("--follow-redirects")
    {
        Description = "Where servers may redirect to: here: to themselves alone; public: also to others at public addresses, "
            + "but not to this host or its network; anywhere: for servers you trust. [default: public]",
        HelpName = "here|public|anywhere",
    };

    public RemoteOptions() => _followRedirects.AcceptOnlyFromAmong("here", "public", "anywhere");

    public void AddTo(Command command)
    {
        command.Add(_headerFile);
        command.Add(_followRedirects);
        command.Add(_allowUnversioned);
    }

    public HostFile Open(string image, ParseResult parsed)
    {
        if (!IsAddress(image))
        {
            return !image.Contains("://", StringComparison.Ordinal) || File.Exists(image)
                ? HostFile.FromPath(image)
                : throw new IOException($"there is no file '{image}', and as an address it is not read (http and https are)");
        }

        if (!Uri.TryCreate(image, UriKind.Absolute, out Uri? uri) || uri.UserInfo.Length > 0)
        {
            throw new IOException("IMAGE is not an address that can be requested; credentials go into --header-file");
        }

        return HostFile.FromUri(uri, new HttpFileOptions
        {
            Headers = parsed.GetValue(_headerFile) is { } file ? ReadHeaders(file) : new Dictionary<string, string>(),
            AllowUnversioned = parsed.GetValue(_allowUnversioned),
            FollowRedirects = parsed.GetValue(_followRedirects) switch
            {
                "here" => HttpRedirectPolicy.SameOrigin,
                "anywhere" => HttpRedirectPolicy.Any,
                _ => HttpRedirectPolicy.Public,
            },
        });
    }

    /// <summary>A file of such a name is "./http:…".</summary>
    public static bool IsAddress(string image) =>
        image.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || image.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static Dictionary<string, string> ReadHeaders(FileInfo file)
    {
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach ((int index, string line) in File.ReadLines(file.FullName).Index().Where(each => each.Item.Length > 0))
        {
            // The line itself may be a secret, and isn't shown.
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string name = line[..Math.Max(colon, 0)];
            string value = line[(colon + 1)..].Trim();
            string? fault = colon < 0 ? "it is not 'Name: value'"
                : HttpFileOptions.GetHeaderFault(name, value)
                ?? (headers.TryAdd(name, value) ? null : "its name is given twice");
            if (fault is not null)
            {
                throw new IOException($"{file.Name}: line {index + 1} is not a header that can be sent: {fault} (one per line: 'Name: value')");
            }
        }

        return headers;
    }
}
