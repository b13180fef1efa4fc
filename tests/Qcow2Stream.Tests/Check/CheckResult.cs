namespace Qcow2Stream.Tests.Check;

/// <summary>What the library's check says of an image: findings and totals, or the refusal to look at it.</summary>
internal sealed record CheckResult(IReadOnlyList<CheckFinding> Findings, CheckSummary? Summary, Qcow2Exception? Refusal)
{
    public int ExitCode => Summary is null or { CheckErrors: > 0 } ? 1 : Summary.Corruptions > 0 ? 2 : Summary.Leaks > 0 ? 3 : 0;

    public static CheckResult Of(string path)
    {
        List<CheckFinding> findings = [];
        try
        {
            using ImageCheck check = ImageCheck.Open(path);
            findings.AddRange(check.Run());
            return new CheckResult(findings, check.Summary, null);
        }
        catch (Qcow2Exception e)
        {
            return new CheckResult(findings, null, e);
        }
    }

    public override string ToString() =>
        $"exit code {ExitCode}\n{Refusal?.Message}\n{Summary}\n{string.Join('\n', Findings.Take(50).Select(f => $"{f.Severity} {f.Kind} at {f.HostOffset}: {f.Message}"))}";
}
