using System.Collections.Concurrent;
using System.Text;
using DiffEngine;

namespace VerifyTests;

// The files of one test: what was accepted, and beside it what came instead.
internal sealed class Snapshot
{
    private static readonly ConcurrentDictionary<string, bool> UsedPrefixes = new();
    private static readonly Encoding Utf8WithBom = new UTF8Encoding(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true);

    private readonly string _directory;
    private readonly string _name;
    private readonly List<string> _stale;

    public Snapshot(string directory, string name)
    {
        _directory = directory;
        _name = name;
        if (!UsedPrefixes.TryAdd(Path.Combine(directory, name), true))
        {
            throw new InvalidOperationException(
                $"The prefix has already been used: {Path.Combine(directory, name)}. A test verifies once, and a theory names its case with UseParameters.");
        }

        Directory.CreateDirectory(directory);
        _stale = Find("verified");
        Find("received").ForEach(File.Delete);
    }

    private static bool DiffEnabled => !DiffRunner.Disabled && !BuildServerDetector.Detected;

    public async Task VerifyTextAsync(string received, string extension)
    {
        (string receivedPath, string verifiedPath) = Paths(extension);
        string? verified = await ReadVerifiedTextAsync(verifiedPath);
        if (verified is not null && (verified == received || verified == received + "\n"))
        {
            Accept(receivedPath, verifiedPath);
            return;
        }

        await File.WriteAllTextAsync(receivedPath, received, Utf8WithBom);
        if (DiffEnabled)
        {
            await DiffRunner.LaunchForTextAsync(receivedPath, verifiedPath, Utf8WithBom);
        }

        throw new VerifyException(MismatchMessage.Text(_directory, receivedPath, verifiedPath, received, verified, _stale));
    }

    public async Task VerifyBytesAsync(byte[] received, string extension)
    {
        if (received.Length == 0)
        {
            throw new ArgumentException("Empty data is not supported.", nameof(received));
        }

        (string receivedPath, string verifiedPath) = Paths(extension);
        byte[]? verified = File.Exists(verifiedPath) ? await File.ReadAllBytesAsync(verifiedPath) : null;
        if (verified is not null && verified.AsSpan().SequenceEqual(received))
        {
            Accept(receivedPath, verifiedPath);
            return;
        }

        await File.WriteAllBytesAsync(receivedPath, received);
        if (DiffEnabled)
        {
            await DiffRunner.LaunchAsync(receivedPath, verifiedPath, Utf8WithBom);
        }

        throw new VerifyException(MismatchMessage.Bytes(_directory, receivedPath, verifiedPath, received, verified, _stale));
    }

    private static async Task<string?> ReadVerifiedTextAsync(string verifiedPath)
    {
        // A diff tool may need a file on both sides, and leaves an empty one when nothing was accepted.
        var file = new FileInfo(verifiedPath);
        if (file is { Exists: true, Length: 0 })
        {
            file.Delete();
            return null;
        }

        return file.Exists ? NewLines.Fix(await File.ReadAllTextAsync(verifiedPath)) : null;
    }

    private void Accept(string receivedPath, string verifiedPath)
    {
        if (DiffEnabled)
        {
            DiffRunner.Kill(receivedPath, verifiedPath);
        }

        if (_stale.Count > 0)
        {
            throw new VerifyException(MismatchMessage.Stale(_directory, _stale));
        }
    }

    private (string Received, string Verified) Paths(string extension)
    {
        string prefix = Path.Combine(_directory, _name);
        string verified = $"{prefix}.verified.{extension}";
        _stale.Remove(verified);
        return ($"{prefix}.received.{extension}", verified);
    }

    // "Name#…" are the files of a test that once verified several targets.
    private List<string> Find(string kind) =>
    [
        .. Directory.EnumerateFiles(_directory, $"*.{kind}.*").Where(path =>
            Path.GetFileName(path).StartsWith($"{_name}.{kind}.", StringComparison.Ordinal) ||
            Path.GetFileName(path).StartsWith($"{_name}#", StringComparison.Ordinal)),
    ];
}
