using System.Globalization;
using System.Text;

namespace VerifyTests;

internal static class MismatchMessage
{
    // Enough to judge a small snapshot from the log alone; a large one is better seen in its file.
    private const int MaxCharacters = 64 * 1024;

    public static string Text(
        string directory, string receivedPath, string verifiedPath, string received, string? verified, List<string> stale)
    {
        StringBuilder message = Files(directory, receivedPath, verifiedPath, isNew: verified is null, stale);
        message.Append("\nFileContent:\n\n");
        message.Append(verified is null ? "New:\n\n" : "NotEqual:\n\n");
        message.Append("Received: ").Append(Path.GetFileName(receivedPath)).Append('\n').Append(Shorten(received)).Append('\n');
        if (verified is not null)
        {
            message.Append("Verified: ").Append(Path.GetFileName(verifiedPath)).Append('\n').Append(Shorten(verified)).Append('\n');
        }

        return message.ToString();
    }

    public static string Bytes(
        string directory, string receivedPath, string verifiedPath, byte[] received, byte[]? verified, List<string> stale)
    {
        StringBuilder message = Files(directory, receivedPath, verifiedPath, isNew: verified is null, stale);
        if (verified is not null)
        {
            int equal = received.AsSpan().CommonPrefixLength(verified);
            message.Append(
                CultureInfo.InvariantCulture,
                $"\nReceived {received.Length} bytes, verified {verified.Length} bytes; the first difference is at 0x{equal:x}.\n");
        }

        return message.ToString();
    }

    public static string Stale(string directory, List<string> stale)
    {
        var message = new StringBuilder($"Directory: {directory}\n");
        AppendStale(message, stale);
        return message.ToString();
    }

    private static StringBuilder Files(
        string directory, string receivedPath, string verifiedPath, bool isNew, List<string> stale)
    {
        var message = new StringBuilder($"Directory: {directory}\n");
        message.Append(isNew ? "New:\n" : "NotEqual:\n");
        message.Append("  - Received: ").Append(Path.GetFileName(receivedPath)).Append('\n');
        message.Append("    Verified: ").Append(Path.GetFileName(verifiedPath)).Append('\n');
        AppendStale(message, stale);
        return message;
    }

    private static void AppendStale(StringBuilder message, List<string> stale)
    {
        if (stale.Count == 0)
        {
            return;
        }

        message.Append("Delete:\n");
        foreach (string file in stale)
        {
            message.Append("  - ").Append(Path.GetFileName(file)).Append('\n');
        }
    }

    private static string Shorten(string text) => text.Length <= MaxCharacters
        ? text
        : $"{text.AsSpan(0, MaxCharacters)}\n… {text.Length - MaxCharacters} more characters";
}
