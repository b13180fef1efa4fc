namespace Qcow2Stream.FileSystems;

/// <summary>How a guest is opened.</summary>
public sealed record GuestOptions
{
    /// <summary>
    /// Whether what the guest is opened from (a chain, a stream, a source or other disks that are <see cref="IDisposable"/>) stays open when
    /// the guest is disposed, or can't be opened. By default it is disposed in both cases.
    /// </summary>
    public bool LeaveOpen { get; init; }

    /// <summary>
    /// The guest's other disks, in any order: a file system may be spread over several, and each has volumes of its own. By default there are none.
    /// </summary>
    public IReadOnlyList<IBlockSource> OtherDisks
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// How many entries of one directory are listed before that counts as damage: 1 or more, by default 2 million. A listing in order, a walk or a copy
    /// keeps each in memory, about 150 bytes.
    /// </summary>
    public int MaxDirectoryEntries
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 2_000_000;

    /// <summary>
    /// How many bytes the replay of a file system's journal may keep in memory: 0 or more, by default 128 MiB. A journal that has more is not replayed, which
    /// <see cref="GuestFileSystem.Notice"/> then says; 0 replays none.
    /// </summary>
    public long MaxJournalBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 128 << 20;

    /// <summary>
    /// The passphrases or keys of volumes that LUKS protects, and what these may ask for. By default none are given: such volumes are then not opened, and
    /// what is on them is not found. Whoever gives one pays for its derivation when the guest is opened: seconds, and up to
    /// <see cref="LuksOptions.MaxKeyMemory"/> of memory.
    /// </summary>
    public LuksOptions Luks
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = new();

    /// <summary>
    /// Which subvolume of a Btrfs file system is its root: a path from the top-level one, such as <c>@home</c>, or a number (5 for the top-level one). By
    /// default (null) it is what the guest mounts: what its <c>/etc/fstab</c> names, otherwise the default subvolume. A file system that has none
    /// of that name can't be opened; other kinds are opened as ever.
    /// </summary>
    public string? Subvolume { get; init; }

    /// <summary>
    /// Whether the subvolumes that <c>/etc/fstab</c> mounts are shown in their places, as the running guest sees them. By default the directories are, on
    /// which they are mounted.
    /// </summary>
    public bool ShowMounts { get; init; }

    internal static GuestOptions Default { get; } = new();
}
