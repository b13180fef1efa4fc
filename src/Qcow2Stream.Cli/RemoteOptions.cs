using System.CommandLine;

namespace Qcow2Stream.Cli;

/// <summary>Opens what the command line names as an image: a file, or an address; with the options of the latter.</summary>
internal sealed class RemoteOptions
{
    private readonly Option<FileInfo> _headerFile = new("--header-file")
    {
        Description = "HTTP headers for IMAGE's server, a line 'Name: value' each, such as Authorization; for images at an address.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _allowUnversioned = new("--allow-unversioned")
    {
        Description = "Reads files whose server gives no ETag and no Last-Modified, so that nobody notices if they change meanwhile.",
    };

    public void AddTo(Command command)
    {
        command.Add(_headerFile);
        command.Add(_allowUnversioned);
    }

    public HostFile Open(string image, ParseResult parsed)
    {
        if (!IsAddress(image))
        {
            return HostFile.FromPath(image);
        }

        if (!Uri.TryCreate(image, UriKind.Absolute, out Uri? uri) || uri.UserInfo.Length > 0)
        {
            throw new IOException("IMAGE is no address that can be asked; credentials go into --header-file");
        }

        return HostFile.FromUri(uri, new HttpFileOptions
        {
            Headers = parsed.GetValue(_headerFile) is { } file ? ReadHeaders(file) : new Dictionary<string, string>(),
            AllowUnversioned = parsed.GetValue(_allowUnversioned),
        });
    }

    /// <summary>A file of such a name is "./http:…".</summary>
    public static bool IsAddress(string image) =>
        image.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || image.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static Dictionary<string, string> ReadHeaders(FileInfo file)
    {
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (string line in File.ReadLines(file.FullName).Where(line => line.Length > 0))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || !headers.TryAdd(line[..colon].Trim(), line[(colon + 1)..].Trim()))
            {
                // The line itself may be a secret.
                throw new IOException($"{file.Name}: line {headers.Count + 1} is not 'Name: value', or says a name twice");
            }
        }

        return headers;
    }
}
