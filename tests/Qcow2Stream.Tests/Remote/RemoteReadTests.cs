using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Images on a web server are what they are as files; every way of opening and reading.</summary>
public sealed class RemoteReadTests : IDisposable
{
    private readonly WebServer _server = new(Path.GetDirectoryName(Repository.Image("."))!);

    public static TheoryData<string> Images =>
        ["chain-3.qcow2", "zlib.qcow2", "zstd.qcow2", "extended-l2.qcow2", "data-file.qcow2", "odd-size.qcow2", "v2.qcow2", "v3-512.qcow2", "chain-0.raw", "snapshots.qcow2"];

    public void Dispose() => _server.Dispose();

    [Theory]
    [MemberData(nameof(Images))]
    public async Task Image_IsReadAndMappedAsTheFileIs(string name)
    {
        using var file = Qcow2Chain.Open(Repository.Image(name));
        byte[] expected = file.ReadWholeDisk();
        using (var chain = Qcow2Chain.Open(_server.AddressOf(name)))
        {
            Assert.Equal(expected, chain.ReadWholeDisk());
            Assert.Equal(file.Map().Select(WithoutPath), chain.Map().Select(WithoutPath));
        }

        using (Qcow2Chain chain = await Qcow2Chain.OpenAsync(_server.AddressOf(name)))
        {
            byte[] bytes = new byte[expected.Length];
            Assert.Equal(bytes.Length, await chain.ReadAtAsync(0, bytes));
            Assert.Equal(expected, bytes);
        }

        using (Qcow2ChainStream stream = new(_server.AddressOf(name)))
        {
            byte[] bytes = new byte[expected.Length];
            stream.ReadExactly(bytes);
            Assert.Equal(expected, bytes);
        }

        await using (Qcow2ChainStream stream = await Qcow2ChainStream.OpenAsync(_server.AddressOf(name)))
        {
            MemoryStream copy = new();
            await stream.CopyToAsync(copy);
            Assert.Equal(expected, copy.ToArray());
        }
    }

    [Fact]
    public void Layers_HaveAddressesWithoutTheirQueries()
    {
        using var chain = Qcow2Chain.Open(new Uri(_server.AddressOf("chain-3.qcow2") + "?signature=secret#part"));
        Assert.Equal(
            [$"{_server.Root}chain-3.qcow2", $"{_server.Root}chain-2.qcow2", $"{_server.Root}chain-1.qcow2", $"{_server.Root}chain-0.raw"],
            chain.Layers.Select(layer => layer.Path));
        Assert.Equal(["?signature=secret", "", "", ""], _server.Requests.DistinctBy(r => r.Path).Select(r => r.Query));
    }

    [Fact]
    public void WhatIsReadTwice_IsAskedForOnce()
    {
        using var chain = Qcow2Chain.Open(_server.AddressOf("zlib.qcow2"));
        byte[] first = chain.ReadWholeDisk();
        _server.Forget();
        Assert.Equal(first, chain.ReadWholeDisk());
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task ManyReadersAtOnce_AskForEachBlockOnce()
    {
        using var chain = Qcow2Chain.Open(_server.AddressOf("chain-3.qcow2"), new() { Http = new() { ReadAheadBytes = 0 } });
        byte[] expected;
        using (var file = Qcow2Chain.Open(Repository.Image("chain-3.qcow2")))
        {
            expected = file.ReadWholeDisk();
        }

        await Parallel.ForEachAsync(Enumerable.Range(0, 16), async (reader, token) =>
        {
            byte[] bytes = new byte[expected.Length];
            int read = reader % 2 == 0 ? chain.ReadAt(0, bytes) : await chain.ReadAtAsync(0, bytes, token);
            Assert.Equal(expected.Length, read);
            Assert.Equal(expected, bytes);
        });
        Assert.All(
            _server.Requests.GroupBy(r => r.Path),
            file => Assert.Equal(file.Count(), file.DistinctBy(r => r.From).Count()));
        long lengths = new[] { "chain-3.qcow2", "chain-2.qcow2", "chain-1.qcow2", "chain-0.raw" }
            .Sum(name => new FileInfo(Repository.Image(name)).Length);
        Assert.InRange(_server.BytesSent, 1, lengths);
    }

    [Fact]
    public void EveryReaderOfImages_TakesAFileOnAServer()
    {
        HostFile Open() => HostFile.FromUri(_server.AddressOf("snapshots.qcow2"));
        string path = Repository.Image("snapshots.qcow2");
        using HostFile header = Open();
        Assert.Equal(HeaderDump.Read(path).ToString(), HeaderDump.Read(header).ToString());
        Assert.Equal(ImageInfo.Read(path).Snapshots, ImageInfo.Read(Open()).Snapshots);
        using ImageCheck remote = ImageCheck.Open(Open());
        using ImageCheck local = ImageCheck.Open(path);
        Assert.Equal(local.Run(), remote.Run());
        Assert.Equal(local.Summary, remote.Summary);
        Assert.Equal(ImageInspection.Inspect(path).Skip(1).Select(step => step.Text), ImageInspection.Inspect(Open()).Skip(1).Select(step => step.Text.Replace(_server.Root.ToString(), Path.GetDirectoryName(path) + "/", StringComparison.Ordinal)));
    }

    [Fact]
    public void BackingFileOfInformation_IsAnAddress()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(_server.AddressOf("chain-3.qcow2"));
        IReadOnlyList<ImageInfo> images = ImageInfo.ReadChain(chain);
        Assert.Equal(4, images.Count);
        Assert.Equal(images[1].Path, images[0].FullBackingFile);
        Assert.Equal($"{_server.Root}chain-2.qcow2", images[1].Path);
    }

    [Theory]
    [InlineData("ftp://host/disk.qcow2")]
    [InlineData("file:///disk.qcow2")]
    [InlineData("http://name:word@host/disk.qcow2")]
    public void OtherAddresses_AreMisuse(string address)
    {
        Assert.Throws<ArgumentException>(() => Qcow2Chain.Open(new Uri(address)));
        Assert.Throws<ArgumentException>(() => HostFile.FromUri(new Uri(address)));
        Assert.Throws<ArgumentException>(() => HostFile.FromUri(new Uri("disk.qcow2", UriKind.Relative)));
    }

    private static MapExtent WithoutPath(MapExtent extent) => extent with { HostPath = null };
}
