using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Follow;

/// <summary>
/// Names that are refused as they stand. A file of that very name lies beside the image, so a name that is judged
/// too late, or not at all, opens it.
/// </summary>
public sealed class RecordedNameTests : IDisposable
{
    private readonly ChainFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("nbd://localhost/disk", "'nbd:'")]
    [InlineData("nbd:unix:socket", "'nbd:'")]
    [InlineData("http://localhost/disk", "'http:'")]
    [InlineData("https://localhost/disk", "'https:'")]
    [InlineData("FILE:base.raw", "'FILE:'")]
    [InlineData("fat:rw:dir", "'fat:'")]
    [InlineData(":base.raw", "':'")]
    public void NameOfAProtocol_IsRefusedByName(string name, string quoted)
    {
        if (!OperatingSystem.IsWindows())
        {
            _files.WriteInside(name, ChainFiles.RawDisk);
        }

        _files.WriteTop(name);
        foreach (FollowPolicy policy in new[] { FollowPolicy.SameDirectory, FollowPolicy.Trusted, FollowPolicy.Directories(_files.Inside) })
        {
            NamedFileException error = _files.CheckRefused($"names that start with {quoted} are not followed; plain names and 'file:' are", policy);
            Assert.Equal(name, error.File.Name);
        }
    }

    /// <summary>A backslash is a letter like any other there.</summary>
    [UnixFact]
    public void ColonBehindABackslash_EndsAProtocol()
    {
        _files.WriteInside(@"a\b:c", ChainFiles.RawDisk);
        _files.WriteTop(@"a\b:c");
        _files.CheckRefused(@"names that start with 'a\b:' are not followed");
    }

    [UnixFact]
    public void ColonBehindASlash_IsAPlainName()
    {
        _files.WriteInside("nbd:x", ChainFiles.RawDisk);
        _files.WriteTop("./nbd:x");
        _files.CheckOpens();
    }

    [UnixFact]
    public void ColonBehindTheFilePrefix_IsAPlainName()
    {
        _files.WriteInside("nbd:x", ChainFiles.RawDisk);
        _files.WriteTop("file:nbd:x");
        _files.CheckOpens();
    }

    [Theory]
    [InlineData("base\n.raw", @"'base\u000a.raw'")]
    [InlineData("base\0.raw", @"'base\u0000.raw'")]
    [InlineData("\e[31m", @"'\u001b[31m'")]
    [InlineData("base\u007f", @"'base\u007f'")]
    [InlineData("base\u0085", @"'base\u0085'")]
    public void ControlCharacter_IsRefusedAndEscaped(string name, string escaped)
    {
        if (!OperatingSystem.IsWindows() && !name.Contains('\0', StringComparison.Ordinal))
        {
            _files.WriteInside(name, ChainFiles.RawDisk);
        }

        _files.WriteTop(name);
        foreach (FollowPolicy policy in new[] { FollowPolicy.SameDirectory, FollowPolicy.Trusted })
        {
            NamedFileException error = _files.CheckRefused("its name holds a control character", policy);
            Assert.Contains($"backing file {escaped} is not opened", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(error.Message, character => char.IsControl(character));
        }
    }

    [Theory]
    [InlineData(0xFF)]
    [InlineData(0xC0)]
    [InlineData(0x80)]
    public void InvalidUtf8_IsRefused(byte invalid)
    {
        _files.WriteInside("b\uFFFDse.raw", ChainFiles.RawDisk);
        byte[] image = ChainFiles.Overlay("b-se.raw");
        image.WriteU8((long)image.ReadU64(HeaderField.BackingFileOffset) + 1, invalid);
        _files.WriteInside("top.qcow2", image);
        _files.CheckRefused("its name is not valid UTF-8");
        _files.CheckRefused("its name is not valid UTF-8", FollowPolicy.Trusted);
    }

    [Fact]
    public void EmptyName_IsRefused()
    {
        _files.WriteTop("file:");
        _files.CheckRefused("its name is empty");
        _files.CheckRefused("its name is empty", FollowPolicy.Trusted);
    }

    [UnixFact]
    public void SpaceAtTheEnd_BelongsToTheName()
    {
        _files.WriteInside(" base.raw ", ChainFiles.RawDisk);
        _files.WriteTop(" base.raw ");
        _files.CheckOpens();
    }

    [Theory]
    [InlineData(" base.raw")]
    [InlineData("bäse.raw")]
    [InlineData("基.raw")]
    [InlineData("-base.raw")]
    [InlineData("base 💾.raw")]
    public void UnusualButPlainName_IsOpened(string name)
    {
        _files.WriteInside(name, ChainFiles.RawDisk);
        _files.WriteTop(name);
        _files.CheckOpens();
    }
}
