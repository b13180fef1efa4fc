namespace Qcow2Stream.FileSystems.Ext;

/// <summary>What a block of the journal is that has a header.</summary>
internal enum ExtJournalBlockType : uint
{
    /// <summary>Tags, each for a copy of a block; the copies follow it.</summary>
    Descriptor = 1,

    /// <summary>The end of a transaction.</summary>
    Commit = 2,

    /// <summary>A superblock of version 1.</summary>
    FirstSuperblock = 3,

    /// <summary>A superblock of version 2.</summary>
    Superblock = 4,

    /// <summary>Blocks whose copies, up to here, are not to be replayed.</summary>
    Revoke = 5,
}
