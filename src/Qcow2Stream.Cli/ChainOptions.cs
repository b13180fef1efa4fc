using System.CommandLine;

namespace Qcow2Stream.Cli;

/// <summary>The options that say how a chain is opened, the same for every command that opens one.</summary>
internal sealed class ChainOptions
{
    private readonly RemoteOptions _remote = new();

    private readonly Option<FollowPolicy?> _follow = CommonOptions.Follow();

    private readonly Option<string>? _dataFile;

    private readonly Option<string>? _snapshot;

    private readonly Option<FileInfo> _secretFile = new("--secret-file")
    {
        Description = "The passphrase of encrypted images: all bytes of this file, including a line break at its end.",
        HelpName = "FILE",
    };

    private readonly Option<int?> _maxKeyIterations = CommonOptions.Number(
        "--max-key-iterations",
        "The most PBKDF2 rounds that a passphrase for one image may take, over all its key slots, for each block of the key. [default: 40000000]",
        least: 1,
        most: int.MaxValue);

    private readonly Option<bool> _lenient = new("--lenient")
    {
        Description = "Reads zeros where a damaged image points past the end of its file, as QEMU does, and says so on standard error.",
    };

    /// <summary>Makes the options.</summary>
    /// <param name="withSnapshot">Whether there is a choice of a snapshot: for commands that look at one disk of the image.</param>
    /// <param name="forOneImage">False: the options hold for several images.</param>
    public ChainOptions(bool withSnapshot = true, bool forOneImage = true)
    {
        _snapshot = withSnapshot
            ? new Option<string>("--snapshot")
            {
                Description = "An internal snapshot of the image, by id or name, instead of its active disk.",
                HelpName = "NAME",
            }
            : null;
        _dataFile = forOneImage
            ? new Option<string>("--data-file")
            {
                Description = "The image's external data file, instead of the name that it records.",
                HelpName = "FILE",
            }
            : null;
    }

    public void AddTo(Command command)
    {
        if (_snapshot is not null)
        {
            command.Add(_snapshot);
        }

        if (_dataFile is not null)
        {
            command.Add(_dataFile);
        }

        command.Add(_secretFile);
        command.Add(_maxKeyIterations);
        command.Add(_follow);
        command.Add(_lenient);
        _remote.AddTo(command);
    }

    /// <summary>Opens an image's chain.</summary>
    public Qcow2Chain Open(string image, ParseResult parsed) => Qcow2Chain.Open(OpenFile(image, parsed), Parse(parsed));

    /// <inheritdoc cref="Open(string, ParseResult)"/>
    /// <param name="image">The image.</param>
    /// <param name="parsed">The options.</param>
    /// <param name="snapshot">An internal snapshot of it; null for its active disk.</param>
    public Qcow2Chain Open(string image, ParseResult parsed, string? snapshot) =>
        Qcow2Chain.Open(OpenFile(image, parsed), Parse(parsed) with { Snapshot = snapshot });

    /// <summary>Opens another image's chain: the options that mean one image aren't for it.</summary>
    public Qcow2Chain OpenAnother(string image, ParseResult parsed) =>
        Qcow2Chain.Open(OpenFile(image, parsed), Parse(parsed) with { DataFile = null, Snapshot = null });

    /// <summary>Opens an image's own file.</summary>
    public HostFile OpenFile(string image, ParseResult parsed) => _remote.Open(image, parsed);

    public Qcow2OpenOptions Parse(ParseResult parsed)
    {
        BackingFormats.Register();
        Qcow2OpenOptions options = new()
        {
            Follow = parsed.GetValue(_follow),
            DataFile = _dataFile is null ? null : parsed.GetValue(_dataFile),
            Snapshot = _snapshot is null ? null : parsed.GetValue(_snapshot),
            Passphrase = parsed.GetValue(_secretFile) is { } file ? _ => File.ReadAllBytes(file.FullName) : null,
            Lenient = parsed.GetValue(_lenient),
            OnDamage = new DamageLines().Write,
        };
        return parsed.GetValue(_maxKeyIterations) is { } rounds ? options with { MaxKeyIterations = rounds } : options;
    }
}
