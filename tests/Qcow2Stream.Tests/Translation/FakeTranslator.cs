using Qcow2Stream.Translation;

namespace Qcow2Stream.Tests.Translation;

/// <summary>An image made of given runs; what no run covers is unallocated. It checks what it is asked.</summary>
internal sealed class FakeTranslator(long length, params HostRun[] runs) : ITranslator
{
    private readonly List<(long GuestOffset, long MaxLength)> _questions = [];

    public long Length { get; } = length;

    /// <summary>The most that it answers for at once, as if its tables ended there.</summary>
    public long TableCoverage { get; init; } = long.MaxValue;

    public IReadOnlyList<(long GuestOffset, long MaxLength)> Questions => _questions;

    public static HostRun Run(RunKind kind, long guestOffset, long length, long hostOffset = HostRun.Nowhere) =>
        new() { Kind = kind, GuestOffset = guestOffset, Length = length, HostOffset = hostOffset };

    public HostRun Translate(long guestOffset, long maxLength, RunDetail detail)
    {
        Assert.InRange(guestOffset, 0, Length - 1);
        Assert.InRange(maxLength, 1, Length - guestOffset);
        _questions.Add((guestOffset, maxLength));
        long end = Math.Min(guestOffset + maxLength, guestOffset - (guestOffset % TableCoverage) + Math.Min(TableCoverage, Length));
        foreach (HostRun run in runs)
        {
            if (run.GuestOffset <= guestOffset && guestOffset < run.GuestEnd)
            {
                return run with
                {
                    GuestOffset = guestOffset,
                    Length = Math.Min(run.GuestEnd, end) - guestOffset,
                    HostOffset = run.HasHostOffset ? run.HostOffset + guestOffset - run.GuestOffset : HostRun.Nowhere,
                };
            }
        }

        long next = runs.Select(run => run.GuestOffset).Where(start => start > guestOffset).DefaultIfEmpty(Length).Min();
        return HostRun.Unallocated(guestOffset, Math.Min(next, end) - guestOffset);
    }

    public ValueTask<HostRun> TranslateAsync(
        long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken) =>
        new(Translate(guestOffset, maxLength, detail));
}
