namespace Qcow2Stream.Translation;

/// <summary>Answers, for one image, where its guest bytes live. Safe for any number of threads.</summary>
internal interface ITranslator
{
    /// <summary>The size of the image's guest disk in bytes.</summary>
    long Length { get; }

    /// <summary>Finds the run that starts at <paramref name="guestOffset"/>.</summary>
    /// <param name="guestOffset">From 0 to below <see cref="Length"/>.</param>
    /// <param name="maxLength">The most bytes to answer for; at least 1, and the range ends inside the image.</param>
    /// <param name="detail">How far to look.</param>
    /// <returns>A run with <see cref="HostRun.Depth"/> 0 and a length from 1 to <paramref name="maxLength"/>.</returns>
    HostRun Translate(long guestOffset, long maxLength, RunDetail detail);

    /// <inheritdoc cref="Translate"/>
    ValueTask<HostRun> TranslateAsync(long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken);

    /// <summary>The same for one thread that passes the disk from front to back, and needs no table twice.</summary>
    ITranslator ForWalk() => this;

    /// <summary>How many of <see cref="ForWalk"/> may be in use at once, for their tables to fit the memory for tables; 0 or more.</summary>
    int MostWalks => int.MaxValue;
}
