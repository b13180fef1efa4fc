using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Where a reader says that a file has a hole, there are zeros, and reading by parts gives what reading all of it gives.</summary>
public sealed class HoleTests
{
    public static TheoryData<string> Names => [.. GuestImages.Names()];

    [Theory]
    [MemberData(nameof(Names))]
    public void HolesOfFiles_AreZeros(string name)
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(name)));
        byte[] buffer = new byte[FileContent.PieceLength];
        foreach (GuestVolume volume in guest.Volumes.Where(volume => volume.IsReadable))
        {
            using GuestFileSystem files = volume.OpenFileSystem();
            foreach ((string path, GuestEntry entry) in files.Root.EnumerateTree(_ => { }))
            {
                if (entry.Kind != GuestEntryKind.File || !TryOpen(entry, out FileContent? content))
                {
                    continue;
                }

                byte[] whole = new byte[content.Length];
                content.ReadExactly(0, whole);
                long at = 0;
                foreach (ContentPiece piece in content.Pieces(buffer, default))
                {
                    Assert.Equal((path, at), (path, piece.Offset));
                    ReadOnlySpan<byte> expected = whole.AsSpan((int)at, (int)piece.Length);
                    Assert.True(piece.IsHole ? !expected.ContainsAnyExcept((byte)0) : expected.SequenceEqual(buffer.AsSpan(0, (int)piece.Length)), $"{path} at {at}");
                    at += piece.Length;
                }

                Assert.Equal((path, content.Length), (path, at));
            }
        }
    }

    private static bool TryOpen(GuestEntry entry, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out FileContent? content)
    {
        try
        {
            content = entry.Content();
            return true;
        }
        catch (GuestException)
        {
            content = null;
            return false;
        }
    }
}
