using System.CommandLine;
using Qcow2Stream.Cli.Limits;
using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli;

/// <summary>The arguments and options of every command that looks into the guest's file systems.</summary>
/// <param name="findsPaths">Whether the command finds what a path names.</param>
internal sealed class GuestArguments(bool findsPaths = true)
{
    private readonly Argument<string> _image = CommonOptions.Image();

    private readonly ChainOptions _chain = new();

    private readonly Option<int?> _partition = new("--partition")
    {
        Description = "The partition's number, as 'qcow2 df' prints it; by default the only one that has the path.",
        HelpName = "N",
    };

    private readonly Option<string> _volume = new("--volume")
    {
        Description = "The volume, as 'qcow2 df' prints it: GROUP/VOLUME of LVM2, md/NAME, luks-UUID, or DISK:PARTITION.",
        HelpName = "NAME",
    };

    private readonly Option<string> _subvolume = new("--subvolume")
    {
        Description = "The root of a Btrfs file system, by path or number, as 'qcow2 df' prints it; by default what the guest mounts.",
        HelpName = "NAME",
    };

    private readonly Option<string[]> _keyFiles = new("--key-file")
    {
        Description = "The passphrase or key of LUKS volumes of the guest: all bytes of this file; with its UUID, of one volume; may be given several times.",
        HelpName = "[UUID=]FILE",
    };

    private readonly Option<bool> _mounts = new("--mounts") { Description = "Shows Btrfs subvolumes where the guest's /etc/fstab mounts them." };

    private readonly Option<string[]> _disks = new("--disk")
    {
        Description = "Another disk of the guest, over which its file systems may be spread; for several, give it several times.",
        HelpName = "FILE",
    };

    /// <summary>Adds the image, then the command's own arguments, then the options.</summary>
    public void AddTo(Command command, params ReadOnlySpan<Argument> arguments)
    {
        command.Add(_image);
        foreach (Argument argument in arguments)
        {
            command.Add(argument);
        }

        foreach (Option option in findsPaths ? (Option[])[_partition, _volume, _subvolume, _mounts] : [])
        {
            command.Add(option);
        }

        command.Add(_keyFiles);
        command.Add(_disks);
        _chain.AddTo(command);
    }

    public Guest Open(ParseResult parsed)
    {
        string[] keyFiles = parsed.GetValue(_keyFiles) ?? [];
        LuksOptions luks = new() { Passphrase = keyFiles.Length == 0 ? null : volume => KeyOf(volume.Uuid, keyFiles) };
        IBlockSource first = ProcessLimits.Watch(_chain.Open(parsed.GetRequiredValue(_image), parsed), keyFiles.Length == 0 ? 0 : luks.MaxKeyMemory);
        return Guest.Open(first, new GuestOptions
        {
            OtherDisks = [.. (parsed.GetValue(_disks) ?? []).Select(disk => ProcessLimits.Watch(_chain.OpenAnother(disk, parsed)))],
            Luks = luks,
            Subvolume = findsPaths ? parsed.GetValue(_subvolume) : null,
            ShowMounts = findsPaths && parsed.GetValue(_mounts),
        });
    }

    private static byte[]? KeyOf(string uuid, string[] keyFiles)
    {
        string start = uuid + "=";
        string? file = keyFiles.FirstOrDefault(each => each.StartsWith(start, StringComparison.OrdinalIgnoreCase)) is { } own ? own[start.Length..]
            : keyFiles.FirstOrDefault(each => !IsOfOneVolume(each));
        return file is null ? null : File.ReadAllBytes(file);
    }

    private static bool IsOfOneVolume(string keyFile) => keyFile.IndexOf('=') is > 0 and var end && Guid.TryParseExact(keyFile[..end], "D", out _);

    /// <summary>Finds what a path names, and says on standard error what a user should know of the file system that has it.</summary>
    /// <exception cref="GuestException">It isn't found; the message names the options that help.</exception>
    public GuestMatch Find(Guest guest, string path, ParseResult parsed)
    {
        int? partition = parsed.GetValue(_partition);
        GuestMatch match;
        try
        {
            match = parsed.GetValue(_volume) is { } volume ? guest.Find(path, volume) : guest.Find(path, partition);
        }
        catch (GuestException e)
        {
            throw new GuestException(SearchMessage.Of(e, partition), e);
        }

        if (match.FileSystem.Notice is { } notice)
        {
            Console.Error.WriteLine($"qcow2: {match.Volume} ({match.FileSystem.Kind}): {OptionWords.Of(notice)}");
        }

        return match;
    }
}
