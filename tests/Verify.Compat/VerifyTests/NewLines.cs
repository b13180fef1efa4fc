namespace VerifyTests;

internal static class NewLines
{
    public static string Fix(string text) =>
        text.Contains('\r') ? text.Replace("\r\n", "\n").Replace('\r', '\n') : text;
}
