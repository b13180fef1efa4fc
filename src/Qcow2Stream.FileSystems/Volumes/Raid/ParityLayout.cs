namespace Qcow2Stream.FileSystems.Volumes.Raid;

/// <summary>Where rows of chunks have their parity, with the numbers of Linux' md driver (include/uapi/linux/raid/md_p.h and drivers/md/raid5.h).</summary>
internal enum ParityLayout
{
    LeftAsymmetric = 0,
    RightAsymmetric = 1,
    LeftSymmetric = 2,
    RightSymmetric = 3,
    ParityFirst = 4,
    ParityLast = 5,

    /// <summary>RAID 6 as DDF has it.</summary>
    RotatingZeroRestart = 8,
    RotatingNRestart = 9,
    RotatingNContinue = 10,

    /// <summary>RAID 5 with Q on one more member, which is the last.</summary>
    LeftAsymmetricQLast = 16,
    RightAsymmetricQLast = 17,
    LeftSymmetricQLast = 18,
    RightSymmetricQLast = 19,
    ParityFirstQLast = 20,
}
