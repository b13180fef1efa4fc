namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>Chromium, to see what a person would see.</summary>
internal static class Browser
{
    private const string Name = "chromium";

    /// <summary>Why there is none here, or null. Null on CI as well: there a missing browser fails.</summary>
    public static string? WhyNot { get; } = Environment.GetEnvironmentVariable("CI") == "true"
        || (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(directory => File.Exists(Path.Combine(directory, Name)))
            ? null
            : $"{Name} is not installed";

    /// <summary>Opens a file in a window of that size, and takes its picture.</summary>
    public static async Task<Png> OpenAsync(string path, int width, int height)
    {
        using TempDirectory scratch = new();
        string picture = scratch.File("picture.png");
        await CliWrap.Cli.Wrap(Name)
            .WithArguments([
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1", $"--user-data-dir={scratch.File("profile")}",
                $"--window-size={width},{height}", $"--screenshot={picture}", new Uri(path).AbsoluteUri,
            ])
            .WithEnvironmentVariables(variables => variables.Set("HOME", scratch.Path))
            .ExecuteAsync();
        return Png.Read(picture);
    }
}
