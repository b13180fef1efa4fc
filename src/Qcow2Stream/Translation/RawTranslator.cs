namespace Qcow2Stream.Translation;

/// <summary>A raw image: guest and host offsets are the same.</summary>
internal sealed class RawTranslator(HostFile file, long length) : ITranslator
{
    public long Length { get; } = length;

    public HostRun Translate(long guestOffset, long maxLength, RunDetail detail)
    {
        (bool isHole, long runLength) = detail == RunDetail.HostHoles
            ? file.GetRegion(guestOffset, maxLength)
            : (false, maxLength);
        return new HostRun
        {
            Kind = isHole ? RunKind.Hole : RunKind.Data,
            GuestOffset = guestOffset,
            Length = runLength,
            HostOffset = guestOffset,
            HostLength = runLength,
        };
    }

    public ValueTask<HostRun> TranslateAsync(
        long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken) =>
        new(Translate(guestOffset, maxLength, detail));
}
