namespace VerifyTests;

// Verify has these written into the test assembly by its build targets; a source file's path says the same.
internal static class ProjectFolders
{
    // Ends with a separator, as MSBuild's ProjectDir does.
    public static string Project(string sourceFile)
    {
        string? directory = Path.GetDirectoryName(sourceFile);
        while (directory is not null && !(Directory.Exists(directory) && Directory.EnumerateFiles(directory, "*.csproj").Any()))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory is null
            ? throw new DirectoryNotFoundException($"No project file lies above {sourceFile}; was the source moved after the build?")
            : directory + Path.DirectorySeparatorChar;
    }

    public static string? Solution(string projectDirectory)
    {
        string project = Path.GetFullPath(projectDirectory);
        return new[] { project, Path.Combine(project, ".."), Path.Combine(project, "..", "..") }
            .Select(Path.GetFullPath)
            .FirstOrDefault(directory => Directory.EnumerateFiles(directory, "*.sln*").Any());
    }
}
