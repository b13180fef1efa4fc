using Qcow2Stream.Opening;

namespace Qcow2Stream.Tests.Disks;

public class LocatorPathTests
{
    [Theory]
    [InlineData("top", "base", "base")]
    [InlineData("/top", "base", "/base")]
    [InlineData(@"a\b\top", "base", @"a\b\base")]
    [InlineData("a/top", "b//c/./d", "a/b/c/d")]
    [InlineData("a/top", @"b\..\c", "a/c")]
    [InlineData("a/top", "b/../c/../d", "a/d")]
    [InlineData("../a/top", "b", "../a/b")]
    [InlineData("a/top", "base image", "a/base image")]
    [InlineData("a/top", "...", "a/...")]
    [InlineData("a/top", "snapshot-12:00", "a/snapshot-12:00")]
    public void NameInside_IsTakenFromTheImagesDirectory(string image, string name, string expected)
    {
        Assert.Equal(expected, LocatorPath.Join(image, name));
    }

    [Theory]
    [InlineData("/base", "absolute")]
    [InlineData(@"\base", "absolute")]
    [InlineData("c:base", "absolute")]
    [InlineData(@"c:\base", "absolute")]
    [InlineData("..", "upwards")]
    [InlineData("../base", "upwards")]
    [InlineData(@"..\base", "upwards")]
    [InlineData("a/../../base", "upwards")]
    [InlineData(@"a\..\..\a\base", "upwards")]
    [InlineData(".. /base", "space")]
    [InlineData("a/ ../base", "space")]
    [InlineData("base ", "space")]
    [InlineData(".", "directory")]
    [InlineData("a/..", "directory")]
    public void NameOutside_IsRefused(string name, string reason)
    {
        RefusedException error = Assert.Throws<RefusedException>(() => LocatorPath.Join("dir/top", name));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a/b", "/a/b")]
    [InlineData(@"\a\b", "/a/b")]
    [InlineData("/./a//b/", "/a/b")]
    [InlineData("a/c/../b", "/a/b")]
    [InlineData("../a/ b", "/a/b")]
    public void Spellings_HaveOneForm(string path, string expected)
    {
        Assert.Equal(expected, LocatorPath.Normalize(path));
    }
}
