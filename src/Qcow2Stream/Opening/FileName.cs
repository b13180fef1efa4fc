using System.Text;
using Shared;

namespace Qcow2Stream.Opening;

/// <summary>What can be said of a file's name as an image records it, without asking the file system anything.</summary>
internal static class FileName
{
    private const string FileScheme = "file:";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Judges a recorded name and, for a backing file, takes off a <c>file:</c> in front.</summary>
    /// <param name="recorded">The bytes in the image.</param>
    /// <param name="kind">The name of a data file is literal: it has no protocol.</param>
    /// <param name="name">The plain name.</param>
    /// <returns>Null if the name can be looked at further; otherwise what is wrong with it.</returns>
    public static string? Judge(ReadOnlySpan<byte> recorded, NamedFileKind kind, out string name)
    {
        if (JudgeLiteral(recorded, out name) is { } fault)
        {
            return fault;
        }

        string plain = kind == NamedFileKind.DataFile ? name : WithoutScheme(name);
        if (ReferenceEquals(plain, name) && SchemeOf(name) is { } scheme)
        {
            return $"names that start with '{PrintableText.Escape(scheme)}:' are not followed; plain names and 'file:' are";
        }

        name = plain;
        return name.Length == 0 ? "its name is empty" : null;
    }

    /// <summary>Judges a name that has no protocol, whatever it looks like.</summary>
    /// <param name="recorded">Its bytes.</param>
    /// <param name="name">The same as text.</param>
    /// <inheritdoc cref="Judge" path="/returns"/>
    public static string? JudgeLiteral(ReadOnlySpan<byte> recorded, out string name)
    {
        name = "";
        try
        {
            name = StrictUtf8.GetString(recorded);
        }
        catch (DecoderFallbackException)
        {
            return "its name is not valid UTF-8";
        }

        if (name.Length == 0)
        {
            return "its name is empty";
        }

        return name.Any(char.IsControl) ? "its name holds a control character" : null;
    }

    /// <summary>Takes off a <c>file:</c> in front.</summary>
    public static string WithoutScheme(string name) =>
        name.StartsWith(FileScheme, StringComparison.Ordinal) ? name[FileScheme.Length..] : name;

    /// <summary>QEMU's rule: a colon before the first slash ends the name of a protocol; on Windows, a drive letter isn't one.</summary>
    public static string? SchemeOf(string name)
    {
        bool isWindows = OperatingSystem.IsWindows();
        int end = name.AsSpan().IndexOfAny(isWindows ? ":/\\" : ":/");
        return end >= 0 && name[end] == ':' && !(isWindows && WindowsName.HasDrive(name)) ? name[..end] : null;
    }
}
