using CliWrap;
using CliWrap.Buffered;

namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>qemu-img and qemu-io, the reference for what an image means.</summary>
internal static class Qemu
{
    /// <summary>
    /// Why tests against QEMU cannot run here, or null if they can. Null on CI as well: there a missing tool fails.
    /// </summary>
    public static string? WhyNot { get; } =
        OnPath("qemu-img") && OnPath("qemu-io") || Environment.GetEnvironmentVariable("CI") == "true"
            ? null
            : "qemu-img or qemu-io is not on PATH";

    public static Task<string> Img(params string[] arguments) => ImgIn(Environment.CurrentDirectory, arguments);

    public static Task<string> ImgIn(string workingDirectory, params string[] arguments) =>
        Run("qemu-img", workingDirectory, arguments);

    /// <summary>Runs qemu-img and leaves the judgement of its exit code to the caller.</summary>
    public static Task<QemuResult> ImgRaw(params string[] arguments) => ImgRawIn(Environment.CurrentDirectory, arguments);

    public static Task<QemuResult> ImgRawIn(string workingDirectory, params string[] arguments) =>
        RunRaw("qemu-img", workingDirectory, arguments);

    public static Task<string> Io(string image, string? format, params string[] commands) =>
        IoIn(Environment.CurrentDirectory, image, format, commands);

    public static Task<string> IoIn(string workingDirectory, string image, string? format, params string[] commands)
    {
        IEnumerable<string> formatArguments = format is null ? [] : ["-f", format];
        return Run(
            "qemu-io",
            workingDirectory,
            [.. formatArguments, .. commands.SelectMany(command => new[] { "-c", command }), image]);
    }

    /// <summary>Runs qemu-io with arguments that name the image in their own way.</summary>
    public static Task<string> IoWithArguments(string workingDirectory, params string[] arguments) =>
        Run("qemu-io", workingDirectory, arguments);

    private static async Task<string> Run(string tool, string workingDirectory, string[] arguments)
    {
        QemuResult result = await RunRaw(tool, workingDirectory, arguments);
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException(
                $"{tool} {string.Join(' ', arguments)}\nin {workingDirectory}\nended with exit code {result.ExitCode}\n" +
                $"--- stdout\n{result.Output}\n--- stderr\n{result.Error}");
    }

    private static async Task<QemuResult> RunRaw(string tool, string workingDirectory, string[] arguments)
    {
        BufferedCommandResult result = await CliWrap.Cli.Wrap(tool)
            .WithArguments(arguments)
            .WithWorkingDirectory(workingDirectory)
            .WithEnvironmentVariables(variables => variables.Set("LC_ALL", "C"))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync();
        return new QemuResult(result.ExitCode, result.StandardOutput, result.StandardError);
    }

    private static bool OnPath(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(directory => File.Exists(Path.Combine(directory, tool)) || File.Exists(Path.Combine(directory, tool + ".exe")));
}
