namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>What an operation is in its transaction: XLOG_START_TRANS and the like.</summary>
[Flags]
internal enum XfsLogOperationFlags : byte
{
    None = 0,

    /// <summary>A transaction begins.</summary>
    Start = 0x1,

    /// <summary>It is complete.</summary>
    Commit = 0x2,

    /// <summary>The region goes on in the next record.</summary>
    Continues = 0x4,

    /// <summary>The region began in the record before.</summary>
    WasContinued = 0x8,

    /// <summary>It ends here.</summary>
    End = 0x10,

    /// <summary>The file system was unmounted.</summary>
    Unmount = 0x20,
}
