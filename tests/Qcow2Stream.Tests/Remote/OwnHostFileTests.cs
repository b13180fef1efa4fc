using Qcow2Stream.Tests.Follow;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Images out of a store of the caller's own.</summary>
public sealed class OwnHostFileTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(int.MaxValue)]
    public async Task Image_IsReadHoweverFewBytesAReadGives(int most)
    {
        using var file = Qcow2Chain.Open(Repository.Image("zlib.qcow2"));
        byte[] expected = file.ReadWholeDisk();
        byte[] image = File.ReadAllBytes(Repository.Image("zlib.qcow2"));
        using var chain = Qcow2Chain.Open(new MemoryFile(image, most));
        Assert.Equal(expected, chain.ReadWholeDisk());
        using Qcow2Chain async = await Qcow2Chain.OpenAsync(new MemoryFile(image, most));
        byte[] bytes = new byte[expected.Length];
        Assert.Equal(bytes.Length, await async.ReadAtAsync(0, bytes));
        Assert.Equal(expected, bytes);
    }

    [Fact]
    public async Task Chain_OwnsTheFileAlsoWhereItDoesNotOpen()
    {
        MemoryFile good = new(ChainFiles.Overlay(null));
        using (new Qcow2ChainStream(good))
        {
            Assert.False(good.IsDisposed);
        }

        Assert.True(good.IsDisposed);
        byte[] broken = ChainFiles.Overlay(null);
        broken[7] = 9;
        MemoryFile bad = new(broken);
        Assert.Throws<Qcow2UnsupportedException>(() => Qcow2Chain.Open(bad));
        Assert.True(bad.IsDisposed);
        bad = new(broken);
        await Assert.ThrowsAsync<Qcow2UnsupportedException>(() => Qcow2ChainStream.OpenAsync(bad));
        Assert.True(bad.IsDisposed);
    }

    [Fact]
    public void FilesThatItNames_ComeOnlyFromTheResolver()
    {
        byte[] top = ChainFiles.Overlay("base.raw");
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(new MemoryFile(top)));
        MemoryFile below = new(ChainFiles.RawDisk);
        using (var chain = Qcow2Chain.Open(new MemoryFile(top), new()
        {
            Follow = FollowPolicy.FromFileResolver(named => named.Name == "base.raw" ? below : null),
        }))
        {
            Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
        }

        Assert.True(below.IsDisposed);
        NamedFileException refused = Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(new MemoryFile(top), new() { Follow = FollowPolicy.FromFileResolver(_ => null) }));
        Assert.Contains("FollowPolicy.FromFileResolver", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("base.raw")]
    [InlineData("PATH/base.raw")]
    [InlineData("file:base.raw")]
    public async Task FileOfThisHost_IsNotOpenedWhateverThePathLooksLike(string name)
    {
        using TempDirectory directory = new();
        string below = directory.Write("base.raw", ChainFiles.RawDisk);
        byte[] top = ChainFiles.Overlay(name.Replace("PATH", directory.Path, StringComparison.Ordinal));
        foreach (FollowPolicy policy in new[] { FollowPolicy.SameDirectory, FollowPolicy.Trusted, FollowPolicy.Directories(directory.Path) })
        {
            Qcow2OpenOptions options = new() { Follow = policy };
            MemoryFile Image() => new(top) { Name = directory.File("top.qcow2") };
            NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Image(), options));
            Assert.Contains("FollowPolicy.FromFileResolver", error.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<NamedFileException>(() => Qcow2Chain.OpenAsync(Image(), options));
            Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(new MemoryStream(top), options));
        }

        Assert.Null(ImageInfo.Read(new MemoryFile(top) { Name = directory.File("top.qcow2") }).FullBackingFile);

        File.WriteAllBytes(directory.File("top.qcow2"), ChainFiles.Overlay("base.raw"));
        using Qcow2Chain file = Qcow2Chain.Open(directory.File("top.qcow2"));
        Assert.Equal(below, file.Layers[1].Path);
    }

    [Fact]
    public void FullPath_IsOfFilesOfThisHost()
    {
        using HostFile own = new MemoryFile([]) { Name = "images/top.qcow2" };
        Assert.Equal("images/top.qcow2", own.FullPath);
        string path = Path.GetRelativePath(Environment.CurrentDirectory, Repository.Image("chain-3.qcow2"));
        using HostFile file = HostFile.FromPath(path);
        Assert.Equal(Path.GetFullPath(path), file.FullPath);
        using Qcow2Chain chain = Qcow2Chain.Open(path);
        Assert.Equal(4, chain.Layers.Count);
    }

    [Fact]
    public void SameFileTwice_IsALoop()
    {
        MemoryFile file = new(ChainFiles.Overlay("again", "qcow2"));
        NamedFileException error = Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(file, new() { Follow = FollowPolicy.FromFileResolver(_ => file) }));
        Assert.Contains("loops", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1 << 20)]
    public async Task ReadThatCountsWrong_IsToldAndGoesNoFurther(int counted)
    {
        using HostFile file = new MemoryFile(ChainFiles.RawDisk) { Counted = counted };
        Assert.Throws<InvalidOperationException>(() => file.ReadAt(0, new byte[512]));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await file.ReadAtAsync(0, new byte[512], default));
    }

    [Fact]
    public void FaultOfTheStore_HasThePlace()
    {
        using var chain = Qcow2Chain.Open(new MemoryFile(ChainFiles.RawDisk) { FailsFrom = 1024 }, new() { Format = ImageFormat.Raw });
        Assert.Equal(ChainFiles.RawDisk[..1024], chain.ReadRange(0, 1024));
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => chain.ReadRange(0, 2048));
        Assert.Equal(("memory", 1024L), (error.ImagePath, error.HostOffset));
    }

    [Fact]
    public void FilesOfPathsAndStreams_AreWhatTheyAreOpenedAs()
    {
        string path = Repository.Image("chain-3.qcow2");
        using var expected = Qcow2Chain.Open(path);
        using var byPath = Qcow2Chain.Open(HostFile.FromPath(path));
        Assert.Equal(expected.Layers.Select(l => l.Path), byPath.Layers.Select(l => l.Path));
        using FileStream stream = File.OpenRead(Repository.Image("zlib.qcow2"));
        using (var byStream = Qcow2Chain.Open(HostFile.FromStream(stream, leaveOpen: true)))
        {
            Assert.Equal(ImageFormat.Qcow2, byStream.Layers[0].Format);
        }

        Assert.True(stream.CanRead);
        Assert.Throws<ArgumentException>(() => HostFile.FromPath(""));
        Assert.Throws<FileNotFoundException>(() => HostFile.FromPath(path + ".missing"));
        Assert.Throws<ArgumentException>(() => HostFile.FromStream(new CountingStream(Stream.Null, _ => { })));
    }

    private sealed class MemoryFile(byte[] content, int most = int.MaxValue) : HostFile
    {
        public bool IsDisposed { get; private set; }

        public int? Counted { get; init; }

        public long FailsFrom { get; init; } = long.MaxValue;

        public override string Path => Name;

        public string Name { get; init; } = "memory";

        protected override long ReadLength() => content.Length;

        protected override int Read(long hostOffset, Span<byte> buffer)
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            if (hostOffset >= FailsFrom)
            {
                throw new IOException("the store is on fire");
            }

            int count = (int)Math.Clamp(Math.Min(content.Length, FailsFrom) - hostOffset, 0, Math.Min(most, buffer.Length));
            content.AsSpan((int)hostOffset, count).CopyTo(buffer);
            return Counted ?? count;
        }

        protected override ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            new(Read(hostOffset, buffer.Span));

        protected override void Dispose(bool disposing) => IsDisposed = true;
    }
}
