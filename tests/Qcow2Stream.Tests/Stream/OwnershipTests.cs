using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

/// <summary>One rule for whatever an image is opened from: it is closed, unless it is lent.</summary>
public sealed class OwnershipTests
{
    private static readonly byte[] Image = File.ReadAllBytes(Repository.Image("zero.qcow2"));

    public static TheoryData<string> Uses => ["chain", "disk", "info", "header", "check", "inspection"];

    [Theory]
    [MemberData(nameof(Uses))]
    public void Stream_IsClosedUnlessItIsLent(string use)
    {
        TrackedStream owned = new(Image);
        TrackedStream lent = new(Image);
        Use(use, owned, options: null);
        Use(use, lent, new Qcow2OpenOptions { LeaveOpen = true });
        Assert.True(owned.IsDisposed);
        Assert.False(lent.IsDisposed);
    }

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task File_IsClosedUnlessItIsLent(string use)
    {
        TrackedStream owned = new(Image);
        TrackedStream lent = new(Image);
        await UseAsync(use, HostFile.FromStream(owned), options: null);
        using HostFile file = HostFile.FromStream(lent);
        await UseAsync(use, file, new Qcow2OpenOptions { LeaveOpen = true });
        Assert.True(owned.IsDisposed);
        Assert.False(lent.IsDisposed);

        // It is as good as before.
        Assert.Equal(Image.Length, file.GetLength());
    }

    /// <summary>A lent file has a directory all the same, and is known to the chain.</summary>
    [Fact]
    public void LentFile_NamesFilesBesideIt()
    {
        using HostFile file = HostFile.FromPath(Repository.Image("chain-3.qcow2"));
        using (Qcow2Chain chain = Qcow2Chain.Open(file, new Qcow2OpenOptions { LeaveOpen = true }))
        {
            Assert.Equal(4, chain.Layers.Count);
            Assert.True(chain.Uses(file));
            using HostFile bottom = HostFile.FromPath(Repository.Image("chain-0.raw"));
            using HostFile other = HostFile.FromPath(Repository.Image("zero.qcow2"));
            Assert.True(chain.Uses(bottom));
            Assert.False(chain.Uses(other));
        }

        Assert.Equal(4, file.ReadAt(0, new byte[4]));
    }

    [Fact]
    public void LentFile_IsClosedToTheChainThatIsDisposed()
    {
        using HostFile file = HostFile.FromPath(Repository.Image("zlib.qcow2"));
        Qcow2Chain chain = Qcow2Chain.Open(file, new Qcow2OpenOptions { LeaveOpen = true });
        Assert.InRange(chain.PreferredReadLength, 4096, 2 << 20);
        chain.Dispose();
        Assert.Throws<ObjectDisposedException>(() => chain.ReadAt(0, new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => chain.ReadAt(0, new byte[1], maxDegreeOfParallelism: 1));
        Assert.Equal(1, file.ReadAt(0, new byte[1]));
    }

    [Fact]
    public void FailedOpening_LeavesALentFileOpen()
    {
        TrackedStream owned = new("QFI\u00fb"u8.ToArray());
        TrackedStream lent = new("QFI\u00fb"u8.ToArray());
        using HostFile file = HostFile.FromStream(lent);
        Qcow2OpenOptions options = new() { Format = ImageFormat.Qcow2 };
        Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(HostFile.FromStream(owned), options));
        Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(file, options with { LeaveOpen = true }));
        Assert.True(owned.IsDisposed);
        Assert.False(lent.IsDisposed);
    }

    private static void Use(string use, Stream stream, Qcow2OpenOptions? options)
    {
        switch (use)
        {
            case "chain":
                Qcow2Chain.Open(stream, options).Dispose();
                break;
            case "disk":
                new Qcow2Disk(stream, options).Dispose();
                break;
            case "info":
                _ = ImageInfo.Read(stream, options);
                break;
            case "header":
                Assert.Contains(HeaderDump.Read(stream, options).Fields, f => f is { Name: "cluster_bits", HostOffset: 20 });
                break;
            case "check":
                ImageCheck.Open(stream, options).Dispose();
                break;
            default:
                Assert.All(ImageInspection.Inspect(stream, options), step => Assert.Null(step.Error));
                break;
        }
    }

    private static async Task UseAsync(string use, HostFile file, Qcow2OpenOptions? options)
    {
        switch (use)
        {
            case "chain":
                (await Qcow2Chain.OpenAsync(file, options)).Dispose();
                break;
            case "disk":
                new Qcow2Disk(file, options).Dispose();
                break;
            case "info":
                _ = await ImageInfo.ReadAsync(file, options);
                break;
            case "header":
                _ = await HeaderDump.ReadAsync(file, options);
                break;
            case "check":
                (await ImageCheck.OpenAsync(file, options)).Dispose();
                break;
            default:
                await foreach (InspectionStep step in ImageInspection.InspectAsync(file, options))
                {
                    Assert.Null(step.Error);
                }

                break;
        }
    }
}
