using System.Text;
using DiscUtils.Vfs;

namespace Qcow2Stream.Cli.Guest;

/// <summary>XFS: its reader replaces characters of names that some system does not allow.</summary>
internal sealed class XfsDialect : VfsDialect
{
    public static readonly XfsDialect Instance = new();

    public override string NameOf(VfsDirEntry entry) =>
        VfsInternals.RawNameOf(entry) is { } name ? Encoding.UTF8.GetString(name) : entry.FileName;
}
