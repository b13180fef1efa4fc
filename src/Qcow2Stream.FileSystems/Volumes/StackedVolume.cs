namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>A volume that lies on others: what a manager of volumes finds on its members.</summary>
/// <param name="Name">As Linux names it below /dev or /dev/mapper; untrusted text.</param>
/// <param name="Type">What it is, for people.</param>
/// <param name="Members">The volumes that it lies on, those that are there.</param>
/// <param name="Source">Its bytes.</param>
internal sealed record StackedVolume(string Name, string Type, IReadOnlyList<GuestVolume> Members, IBlockSource Source)
{
    /// <summary>What identifies it, as its manager writes that; null if there is nothing.</summary>
    public string? Uuid { get; init; }

    /// <summary>Why it can't be read, or not whole; null if it can.</summary>
    public string? Fault { get; init; }
}
