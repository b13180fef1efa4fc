namespace Qcow2Stream.FileSystems.Volumes.Luks;

/// <summary>Opens what LUKS protects, with the passphrases that the guest was opened with.</summary>
internal static class LuksVolumes
{
    public static IEnumerable<StackedVolume> On(
        IReadOnlyList<GuestVolume> members, GuestOptions options, CancellationToken cancellationToken)
    {
        // What one volume may take is for all of them: a disk can show the same bytes as many.
        long left = options.Luks.MaxKeyIterations;
        foreach (GuestVolume member in members)
        {
            if (Open(member, options.Luks, ref left, cancellationToken) is { } found)
            {
                yield return found;
            }
        }
    }

    /// <summary>Null if it can't be opened: the member then has the reason.</summary>
    private static StackedVolume? Open(GuestVolume member, LuksOptions options, ref long left, CancellationToken cancellationToken)
    {
        member.IsLocked = true;
        long work = 0;
        long most = left;
        LuksOptions asked = options with
        {
            Passphrase = volume =>
            {
                byte[]? passphrase = options.Passphrase?.Invoke(volume);
                member.IsLocked = passphrase is null;
                work = member.IsLocked ? 0 : volume.KeyIterations;
                return work <= most ? passphrase : throw new GuestException("the keys of the guest's volumes ask for more work than is allowed for all of them");
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

        finally
        {
            left = Math.Max(0, most - work);
        }

        return null;
    }

    /// <summary>What is wrong, without the option that would help: the volume is shown by programs that call it otherwise.</summary>
    private static string Problem(IOException e) => e is Qcow2Exception { Hint: not null } ? e.Message[..e.Message.LastIndexOf(" (", StringComparison.Ordinal)] : e.Message;
}
