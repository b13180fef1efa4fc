using Shared;

namespace Qcow2Stream.Tests.Follow;

/// <summary>The rules for names on Windows, which are the same text wherever they are judged.</summary>
public sealed class WindowsNameTests
{
    private const string Device = "device";
    private const string Server = "server";
    private const string Drive = "drive";
    private const string Stream = "stream";
    private const string Dropped = "drops";
    private const string Character = "character";

    [Theory]
    [InlineData(@"\\server\share\base.qcow2", Server)]
    [InlineData("//server/share/base.qcow2", Server)]
    [InlineData(@"\/server\share", Server)]
    [InlineData(@"/\server\share", Server)]
    [InlineData(@"\\", Server)]
    [InlineData(@"\\.\PhysicalDrive0", Device)]
    [InlineData("//./pipe/name", Device)]
    [InlineData(@"\\?\C:\base.raw", Device)]
    [InlineData(@"\\?\UNC\server\share", Device)]
    [InlineData(@"\??\C:\base.raw", Drive)]
    [InlineData(@"\base.raw", Drive)]
    [InlineData("/base.raw", Drive)]
    [InlineData("C:", Drive)]
    [InlineData("C:base.raw", Drive)]
    [InlineData(@"C:..\base.raw", Drive)]
    [InlineData("base.raw:stream", Stream)]
    [InlineData("base.raw::$DATA", Stream)]
    [InlineData(@"C:\base.raw:stream", Stream)]
    [InlineData(@"sub\C:\base.raw", Stream)]
    [InlineData("1:base.raw", Stream)]
    [InlineData("NUL", Device)]
    [InlineData("nul.txt", Device)]
    [InlineData("nul .txt", Device)]
    [InlineData(@"sub\Con", Device)]
    [InlineData(@"C:\sub/aux.qcow2", Device)]
    [InlineData("COM1", Device)]
    [InlineData("com0.raw", Device)]
    [InlineData("LPT³", Device)]
    [InlineData("CONIN$", Device)]
    [InlineData(@"nul\base.raw", Device)]
    [InlineData("base.raw.", Dropped)]
    [InlineData("base.raw ", Dropped)]
    [InlineData(@"sub \base.raw", Dropped)]
    [InlineData(@"...\base.raw", Dropped)]
    [InlineData(@".. \base.raw", Dropped)]
    [InlineData("base?.raw", Character)]
    [InlineData("base*", Character)]
    [InlineData("<base>", Character)]
    [InlineData("ba\"se", Character)]
    [InlineData("ba|se", Character)]
    public void NameWithAMeaningOfItsOwn_IsRefused(string name, string reason) =>
        Assert.Contains(reason, WindowsName.Judge(name, allowsServers: false), StringComparison.Ordinal);

    [Theory]
    [InlineData("base.raw")]
    [InlineData(@"sub\base.raw")]
    [InlineData("./sub/../base.raw")]
    [InlineData(@"..\base.raw")]
    [InlineData(@"C:\images\base.raw")]
    [InlineData("c:/images/base.raw")]
    [InlineData("console.raw")]
    [InlineData("COM10")]
    [InlineData("COM")]
    [InlineData("LPTX.raw")]
    [InlineData(" base.raw")]
    [InlineData("bäse 💾.raw")]
    public void PlainName_Passes(string name)
    {
        Assert.Null(WindowsName.Judge(name, allowsServers: false));
        Assert.Null(WindowsName.Judge(name, allowsServers: true));
    }

    [Fact]
    public void TrustedImages_MayNameServersAndStillNoDevices()
    {
        Assert.Null(WindowsName.Judge(@"\\server\share\base.qcow2", allowsServers: true));
        Assert.Contains(Device, WindowsName.Judge(@"\\.\PhysicalDrive0", allowsServers: true), StringComparison.Ordinal);
        Assert.Contains(Device, WindowsName.Judge(@"\\server\share\nul", allowsServers: true), StringComparison.Ordinal);
        Assert.Contains(Stream, WindowsName.Judge(@"\\server\share\base.raw:stream", allowsServers: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("C:", true)]
    [InlineData("z:x", true)]
    [InlineData("nbd:x", false)]
    [InlineData("1:x", false)]
    [InlineData("ä:x", false)]
    [InlineData("C", false)]
    public void Drive_IsOneLetter(string name, bool hasDrive) => Assert.Equal(hasDrive, WindowsName.HasDrive(name));
}
