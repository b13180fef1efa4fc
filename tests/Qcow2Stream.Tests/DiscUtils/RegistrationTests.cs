using DiscUtils;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Disks;

public sealed class RegistrationTests
{
    private static readonly string Image = Repository.Image("chain-3.qcow2");

    [Fact]
    public void Registration_IsAllThatOpeningByPathNeeds()
    {
        OwnContext context = new();
        Assert.Throws<FileNotFoundException>(() => Open(context));

        Register(context);

        Assert.Equal("Qcow2Disk", Open(context)?.GetType().Name);
        context.Unload();
    }

    [Fact]
    public async Task SecondRegistration_DoesNothing()
    {
        OwnContext context = new();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Register(context))));
        Register(context);

        Assert.Equal("Qcow2Disk", Open(context)?.GetType().Name);
        context.Unload();
    }

    [Theory]
    [InlineData("DiscUtils.VirtualDiskManager", "RegisterVirtualDiskTypes")]
    [InlineData("DiscUtils.Setup.SetupHelper", "RegisterAssembly")]
    public void RegistrationAfterTheCallersOwn_DoesNothing(string type, string method)
    {
        OwnContext context = new();
        context.Call("DiscUtils.Core", type, method, context.Library);

        Register(context);

        Assert.Equal("Qcow2Disk", Open(context)?.GetType().Name);
        context.Unload();
    }

    [Fact]
    public void RegistrationBeforeTheSetUps_IsKnownToIt()
    {
        OwnContext context = new();
        Register(context);

        context.Call("DiscUtils.Core", "DiscUtils.Setup.SetupHelper", "RegisterAssembly", context.Library);

        Assert.Equal("Qcow2Disk", Open(context)?.GetType().Name);
        context.Unload();
    }

    [Fact]
    public void Registration_LeavesImgToRawDisks()
    {
        Qcow2Disk.Register();

        Assert.Contains("QCOW2", VirtualDiskManager.SupportedDiskTypes);
        Assert.All(["qcow2", "qcow", "img"], e => Assert.Contains(e, VirtualDiskManager.SupportedDiskFormats));
        Assert.Empty(VirtualDisk.GetSupportedDiskVariants("QCOW2"));
        Assert.Equal("QCOW2", VirtualDisk.GetDiskType("qcow2", "").Name);
        using TempDirectory scratch = new();
        string path = scratch.Write("disk.img", File.ReadAllBytes(Image));
        using VirtualDisk raw = VirtualDisk.OpenDisk(path, FileAccess.Read);
        Assert.IsType<DiscUtils.Raw.Disk>(raw);
    }

    private static void Register(OwnContext context) => context.Call("Qcow2Stream", "Qcow2Stream.Qcow2Disk", "Register");

    private static object? Open(OwnContext context) =>
        context.Call("DiscUtils.Core", "DiscUtils.VirtualDisk", "OpenDisk", Image, FileAccess.Read);
}
