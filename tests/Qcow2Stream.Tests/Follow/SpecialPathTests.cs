using System.Text;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Opening;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Follow;

/// <summary>Paths whose directory isn't what it looks like, and files that change while they are opened.</summary>
public sealed class SpecialPathTests : IDisposable
{
    private const string NoDirectory = "has no directory on this host";

    private readonly ChainFiles _files = new();

    public void Dispose() => _files.Dispose();

    /// <summary>/dev/stdin is in /dev, and so is /dev/shm: an image that somebody sends there would name any file of everybody's.</summary>
    [LinuxFact]
    public void ImageThroughAHandle_HasNoDirectory()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw");
        string shared = Path.Combine("/dev/shm", Path.GetFileName(Path.GetDirectoryName(_files.Inside))! + ".raw");
        File.WriteAllBytes(shared, ChainFiles.RawDisk);
        try
        {
            foreach (string name in new[] { "base.raw", "missing.raw", "../../dev/shm/" + Path.GetFileName(shared), "shm/" + Path.GetFileName(shared) })
            {
                using FileStream top = File.OpenRead(_files.WriteTop(name));
                string handle = $"/proc/self/fd/{top.SafeFileHandle.DangerousGetHandle()}";
                string link = Path.Combine(_files.Outside, "link");
                File.CreateSymbolicLink(link, handle);
                foreach (string path in new[] { handle, handle.Replace("/proc/self", "/dev", StringComparison.Ordinal), link })
                {
                    NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(path));
                    Assert.Contains(NoDirectory, error.Message, StringComparison.Ordinal);
                    Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(path, new Qcow2OpenOptions { Follow = FollowPolicy.Trusted }));
                }

                File.Delete(link);
            }
        }
        finally
        {
            File.Delete(shared);
        }
    }

    [LinuxFact]
    public void ImageThroughAHandle_MayNameFilesFromTheRootOnWhereThatIsAllowed()
    {
        using FileStream top = File.OpenRead(_files.WriteTop(_files.WriteInside("base.raw", ChainFiles.RawDisk)));
        string handle = $"/proc/self/fd/{top.SafeFileHandle.DangerousGetHandle()}";
        foreach (FollowPolicy policy in new[] { FollowPolicy.Trusted, FollowPolicy.Directories(_files.Inside) })
        {
            using Qcow2Chain chain = Qcow2Chain.Open(handle, new Qcow2OpenOptions { Follow = policy });
            Assert.Equal(2, chain.Layers.Count);
        }

        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(handle));
    }

    /// <summary>Everything is below the root; only what is directly in it is in the image's directory.</summary>
    [UnixFact]
    public void ImageInTheRoot_NamesFilesDirectlyInItAlone()
    {
        using HostFile image = PathHostFile.Open(_files.WriteInside("top.raw", ChainFiles.RawDisk), displayPath: "/top.qcow2");
        foreach (string name in new[] { "etc/passwd", "etc/missing", "./etc/../etc/passwd", "/etc/passwd" })
        {
            RefusedException error = Assert.Throws<RefusedException>(() => Open(FollowPolicy.SameDirectory, image, name));
            Assert.StartsWith("it lies outside '/' itself ", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<FileNotFoundException>(() => Open(FollowPolicy.SameDirectory, image, "no-such-file"));
        Open(FollowPolicy.Directories("/"), image, "etc/passwd").Dispose();
    }

    /// <summary>What a directory looks like when it was swapped for a link after the look at it.</summary>
    [LinuxFact]
    public void LinkThatAppearsAfterTheLook_IsNotFollowed()
    {
        _files.WriteOutside("base.raw", ChainFiles.RawDisk);
        _files.LinkInside("dir", "../outside");
        _files.LinkInside("link", "../outside/base.raw");
        foreach (string path in new[] { "dir/base.raw", "link" })
        {
            IOException error = Assert.Throws<IOException>(() => PathHostFile.OpenBelow(_files.Inside, path, displayPath: path));
            Assert.Contains("was replaced by a link", error.Message, StringComparison.Ordinal);
        }

        _files.WriteInside("sub/base.raw", ChainFiles.RawDisk);
        PathHostFile.OpenBelow(_files.Inside, "sub/base.raw", "base.raw").Dispose();
    }

    /// <summary>To whoever writes to a pipe, or drives a device, being opened is an event.</summary>
    [LinuxFact]
    public async Task Pipe_IsNotEvenOpened()
    {
        string pipe = Path.Combine(_files.Inside, "pipe");
        await CliWrap.Cli.Wrap("mkfifo").WithArguments([pipe]).ExecuteAsync();

        // This waits until somebody opens the pipe to read.
        Task<FileStream> writer = Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite));
        Assert.Throws<IOException>(() => PathHostFile.Open(pipe));
        Assert.Throws<IOException>(() => PathHostFile.OpenBelow(_files.Inside, "pipe", "pipe"));
        await Task.Delay(200);
        Assert.False(writer.IsCompleted);

        using FileStream reader = new(pipe, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        (await writer).Dispose();
    }

    private static HostFile Open(FollowPolicy policy, HostFile image, string name) => FileGate.Open(
        policy, image, Encoding.UTF8.GetBytes(name), isLiteral: false, new NamedFile { Kind = NamedFileKind.BackingFile, Name = name });
}
