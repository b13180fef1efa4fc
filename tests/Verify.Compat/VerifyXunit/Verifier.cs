using System.Diagnostics.Contracts;
using System.Reflection;
using System.Runtime.CompilerServices;
using EmptyFiles;
using VerifyTests;

namespace VerifyXunit;

public static class Verifier
{
    private static DerivePathInfo _derivePathInfo = (sourceFile, _, _, _) => new PathInfo(Path.GetDirectoryName(sourceFile));

    public static void DerivePathInfo(DerivePathInfo derivePathInfo) => _derivePathInfo = derivePathInfo;

    [Pure]
    public static SettingsTask Verify(
        string? target,
        VerifySettings? settings = null,
        [CallerFilePath] string sourceFile = "") =>
        new(settings, current => Open(current, sourceFile).VerifyTextAsync(Prepare(target, sourceFile), "txt"));

    // Owns the stream, as Verify does.
    [Pure]
    public static SettingsTask Verify(
        Stream target,
        string extension,
        VerifySettings? settings = null,
        [CallerFilePath] string sourceFile = "") =>
        new(settings, current => VerifyAsync(target, extension, current, sourceFile));

    private static async Task VerifyAsync(Stream target, string extension, VerifySettings settings, string sourceFile)
    {
        await using (target)
        {
            if (target.CanSeek)
            {
                target.Position = 0;
            }

            if (FileExtensions.IsTextExtension(extension))
            {
                using var reader = new StreamReader(target);
                string text = NewLines.Fix(await reader.ReadToEndAsync());
                await Open(settings, sourceFile).VerifyTextAsync(Scrubber(sourceFile).Scrub(text), extension);
                return;
            }

            using var bytes = new MemoryStream();
            await target.CopyToAsync(bytes);
            await Open(settings, sourceFile).VerifyBytesAsync(bytes.ToArray(), extension);
        }
    }

    private static Snapshot Open(VerifySettings settings, string sourceFile)
    {
        MethodInfo method = UseVerifyAttribute.GetMethod();
        Type type = method.ReflectedType!;
        PathInfo info = _derivePathInfo(sourceFile, ProjectFolders.Project(sourceFile), type, method);
        string typeName = info.TypeName ?? (type.IsNested ? $"{type.DeclaringType!.Name}.{type.Name}" : type.Name);
        string name = $"{typeName}.{info.MethodName ?? method.Name}{ParameterText.For(method, settings.Parameters)}";
        return new Snapshot(Path.Combine(Path.GetDirectoryName(sourceFile)!, info.Directory ?? ""), name);
    }

    private static string Prepare(string? target, string sourceFile) => target?.TrimStart('\uFEFF') switch
    {
        null => "null",
        "" => "emptyString",
        var text => NewLines.Fix(Scrubber(sourceFile).Scrub(text)),
    };

    private static PathScrubber Scrubber(string sourceFile) => new(ProjectFolders.Project(sourceFile));
}
