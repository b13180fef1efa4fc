namespace Qcow2Stream.FileSystems.Volumes.Luks;

/// <summary>Opens what LUKS protects, with the passphrases that the guest was opened with.</summary>
internal static class LuksVolumes
{
    public static IEnumerable<StackedVolume> On(
        IReadOnlyList<GuestVolume> members, GuestOptions options, CancellationToken cancellationToken)
    {
        foreach (GuestVolume member in members)
        {
            if (Open(member, options.Luks, cancellationToken) is { } found)
            {
                yield return found;
            }
        }
    }

    /// <summary>Null if it can't be opened: the member then has the reason.</summary>
    private static StackedVolume? Open(GuestVolume member, LuksOptions options, CancellationToken cancellationToken)
    {
        member.IsLocked = true;
        LuksOptions asked = options with
        {
            Passphrase = volume =>
            {
                byte[]? passphrase = options.Passphrase?.Invoke(volume);
                member.IsLocked = passphrase is null;
                return passphrase;
            },
        };
        try
        {
            LuksSource source = new(LuksVolume.Open(new SourceFile(member.Source), asked, cancellationToken));
            return new StackedVolume($"luks-{source.Volume.Uuid}", $"LUKS{source.Volume.Version} {source.Volume.Cipher}", [member], source) { Uuid = source.Volume.Uuid };
        }
        catch (PassphraseException) when (member.IsLocked)
        {
            member.Fault = "no passphrase was given";
        }
        catch (IOException e)
        {
            member.IsLocked = false;
            member.Fault = Problem(e);
        }

        return null;
    }

    /// <summary>What is wrong, without the option that would help: the volume is shown by programs that call it otherwise.</summary>
    private static string Problem(IOException e) => e is Qcow2Exception { Hint: not null } ? e.Message[..e.Message.LastIndexOf(" (", StringComparison.Ordinal)] : e.Message;
}
