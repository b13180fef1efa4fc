using System.Text;

namespace VerifyTests;

// Verify replaces the directories of the machine in every text; all other scrubbing is off until asked for.
internal sealed class PathScrubber
{
    private readonly List<(string Find, string Replace)> _pairs;

    public PathScrubber(string projectDirectory)
    {
        var pairs = new List<(string Find, string Replace)>
        {
            (Clean(AppContext.BaseDirectory), "{CurrentDirectory}"),
            (Clean(Environment.CurrentDirectory), "{CurrentDirectory}"),
            (Clean(Path.GetTempPath()), "{TempPath}"),
            (Clean(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)), "{UserProfile}"),
            (Clean(projectDirectory), "{ProjectDirectory}"),
        };
        if (ProjectFolders.Solution(projectDirectory) is { } solutionDirectory)
        {
            pairs.Add((Clean(solutionDirectory), "{SolutionDirectory}"));
        }

        // The longest first: a project lies in its solution, and both may lie in the profile.
        _pairs = [.. pairs.Where(pair => pair.Find.Length > 0).OrderByDescending(pair => pair.Find.Length)];
    }

    public string Scrub(string text)
    {
        var builder = new StringBuilder(text.Length);
        int position = 0;
        while (position < text.Length)
        {
            (int length, string replacement) = MatchAt(text, position);
            if (length == 0)
            {
                builder.Append(text[position++]);
            }
            else
            {
                builder.Append(replacement);
                position += length;
            }
        }

        return builder.ToString();
    }

    private (int Length, string Replacement) MatchAt(string text, int position)
    {
        if (position > 0 && char.IsLetterOrDigit(text[position - 1]))
        {
            return default;
        }

        foreach ((string find, string replace) in _pairs)
        {
            if (!Matches(text, position, find))
            {
                continue;
            }

            int end = position + find.Length;
            if (end == text.Length)
            {
                return (find.Length, replace);
            }

            if (!char.IsLetterOrDigit(text[end]))
            {
                return (find.Length + (text[end] is '/' or '\\' ? 1 : 0), replace);
            }
        }

        return default;
    }

    private static bool Matches(string text, int position, string find)
    {
        if (text.Length - position < find.Length)
        {
            return false;
        }

        for (int index = 0; index < find.Length; index++)
        {
            char character = text[position + index];
            if ((character == '\\' ? '/' : character) != find[index])
            {
                return false;
            }
        }

        return true;
    }

    private static string Clean(string directory) => directory.Replace('\\', '/').TrimEnd('/');
}
