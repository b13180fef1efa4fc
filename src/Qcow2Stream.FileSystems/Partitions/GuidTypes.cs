namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>What the types of GPT partitions are called.</summary>
internal static class GuidTypes
{
    private static readonly Dictionary<Guid, string> Names = new()
    {
        // UEFI, and boot loaders.
        [new("C12A7328-F81F-11D2-BA4B-00A0C93EC93B")] = "EFI System",
        [new("21686148-6449-6E6F-744E-656564454649")] = "BIOS Boot",
        [new("024DEE41-33E7-11D3-9D69-0008C781F39F")] = "MBR Partition Scheme",

        // Linux, those of the Discoverable Partitions Specification among them.
        [new("0FC63DAF-8483-4772-8E79-3D69D8477DE4")] = "Linux Data",
        [new("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709")] = "Linux Root (x86-64)",
        [new("B921B045-1DF0-41C3-AF44-4C6F280D3FAE")] = "Linux Root (ARM-64)",
        [new("8484680C-9521-48C6-9C11-B0720656F69E")] = "Linux /usr (x86-64)",
        [new("933AC7E1-2EB4-4F13-B844-0E14E2AEF915")] = "Linux /home",
        [new("BC13C2FF-59E6-4262-A352-B275FD6F7172")] = "Linux Extended Boot",
        [new("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F")] = "Linux Swap",
        [new("E6D6D379-F507-44C2-A23C-238F2A3DF928")] = "Linux Logical Volume Manager",
        [new("A19D880F-05FC-4D3B-A006-743F0F84911E")] = "Linux RAID",

        // Windows.
        [new("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7")] = "Windows Basic Data",
        [new("E3C9E316-0B5C-4DB8-817D-F92DF00215AE")] = "Microsoft Reserved",
        [new("DE94BBA4-06D1-4D40-A16A-BFD50179D6AC")] = "Windows Recovery Environment",
        [new("5808C8AA-7E8F-42E0-85D2-E1E90434CFB3")] = "Windows Logical Disk Manager Metadata",
        [new("AF9B60A0-1431-4F62-BC68-3311714A69AD")] = "Windows Logical Disk Manager Data",
        [new("E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D")] = "Windows Storage Spaces",
        [new("558D43C5-A1AC-43C0-AAC8-D1472B2923D1")] = "Windows Storage Replica",

        // Apple.
        [new("48465300-0000-11AA-AA11-00306543ECAC")] = "Apple HFS+",
        [new("7C3457EF-0000-11AA-AA11-00306543ECAC")] = "Apple APFS",
        [new("55465300-0000-11AA-AA11-00306543ECAC")] = "Mac OS X UFS",
        [new("6A898CC3-1DD2-11B2-99A6-080020736631")] = "Mac OS X ZFS",
        [new("52414944-0000-11AA-AA11-00306543ECAC")] = "Mac OS X RAID",
        [new("52414944-5F4F-11AA-AA11-00306543ECAC")] = "Mac OS X RAID, Offline",
        [new("426F6F74-0000-11AA-AA11-00306543ECAC")] = "Mac OS X Boot",
        [new("4C616265-6C00-11AA-AA11-00306543ECAC")] = "Mac OS X Label",

        // The BSDs.
        [new("83BD6B9D-7F41-11DC-BE0B-001560B84F0F")] = "FreeBSD Boot",
        [new("516E7CB4-6ECF-11D6-8FF8-00022D09712B")] = "FreeBSD Data",
        [new("516E7CB5-6ECF-11D6-8FF8-00022D09712B")] = "FreeBSD Swap",
        [new("516E7CB6-6ECF-11D6-8FF8-00022D09712B")] = "FreeBSD Unix File System",
        [new("516E7CB8-6ECF-11D6-8FF8-00022D09712B")] = "FreeBSD Vinum volume manager",
        [new("516E7CBA-6ECF-11D6-8FF8-00022D09712B")] = "FreeBSD ZFS",
        [new("49F48D32-B10E-11DC-B99B-0019D1879648")] = "NetBSD Swap",
        [new("49F48D5A-B10E-11DC-B99B-0019D1879648")] = "NetBSD Fast File System",
        [new("49F48D82-B10E-11DC-B99B-0019D1879648")] = "NetBSD Log-Structured File System",
        [new("49F48DAA-B10E-11DC-B99B-0019D1879648")] = "NetBSD RAID",
        [new("2DB519C4-B10F-11DC-B99B-0019D1879648")] = "NetBSD Concatenated",
        [new("2DB519EC-B10F-11DC-B99B-0019D1879648")] = "NetBSD Encrypted",
        [new("824CC7A0-36A8-11E3-890A-952519AD3F61")] = "OpenBSD Data",

        // Others.
        [new("75894C1E-3AEB-11D3-B7C1-7B03A0000000")] = "HP-UX Data",
        [new("E2A1E728-32E3-11D6-A682-7B03A0000000")] = "HP-UX Service",
        [new("19A710A2-B3CA-11E4-B026-10604B889DCF")] = "Android Meta",
        [new("193D1EA4-B3CA-11E4-B075-10604B889DCF")] = "Android EXT",
        [new("9D275380-40AD-11DB-BF97-000C2911D1B8")] = "VMware vmkcore",
        [new("AA31E02A-400F-11DB-9590-000C2911D1B8")] = "VMware VMFS",
        [new("9198EFFC-31C0-11DB-8F78-000C2911D1B8")] = "VMware Reserved",
        [new("FE3A2A5D-4F32-41A7-B725-ACCC3285A309")] = "ChromeOS kernel",
        [new("3CB8E202-3B7E-47DD-8A3C-7FF2A13CFCEC")] = "ChromeOS rootfs",
        [new("CAB6E88E-ABF3-4102-A07A-D4BB9BE3C1D3")] = "ChromeOS firmware",
        [new("2E0A753D-9E48-43B0-8337-B15192CB1B5E")] = "ChromeOS",
        [new("09845860-705F-4BB5-B16C-8A8A099CAF52")] = "ChromeOS miniOS",
        [new("3F0F8318-F146-4E6B-8222-C28C8F02E0D5")] = "ChromeOS hibernate",
    };

    /// <summary>A type's usual name; its GUID, in capitals, if it has none.</summary>
    public static string NameOf(Guid type) => Names.TryGetValue(type, out string? name) ? name : type.ToString().ToUpperInvariant();
}
