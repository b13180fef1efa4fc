using System.Text.Json.Nodes;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

public sealed class CheckTests : IDisposable
{
    private static readonly Qcow2Image Image = new Qcow2Builder { ClusterBits = 12, Size = 40_960, Clusters = [GuestClusters.Data(0, 1, 3)] }.Build();

    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task CleanImage_IsExitCode0()
    {
        QemuResult result = await Qcow2Tool.Run("check", _scratch.Write("image", Image.ToBytes()));
        Assert.Equal(
            (0, "", $"No errors were found on the image.\n3/10 = 30.00% allocated, 0.00% fragmented, 0.00% compressed clusters\nImage end offset: {Image.FileLength}\n"),
            (result.ExitCode, result.Error, result.Output));
    }

    [Fact]
    public async Task Leak_IsExitCode3()
    {
        long lost = Image.HostOffsetOf(1)!.Value;
        QemuResult result = await Qcow2Tool.Run("check", _scratch.Write("image", Image.ToBytes().WriteU64(Image.L2EntryOffset(1), 0)));
        Assert.Equal((3, ""), (result.ExitCode, result.Error));
        Assert.Equal(
            $"""
            leak: cluster 0x{lost:x}: the refcount is 1, there are 0 references (at byte {lost})

            1 leaked clusters were found on the image.
            This means waste of disk space, but no harm to data.
            2/10 = 20.00% allocated, 50.00% fragmented, 0.00% compressed clusters
            Image end offset: {Image.FileLength}

            """,
            result.Output);
    }

    [Fact]
    public async Task Corruption_IsExitCode2()
    {
        long entry = Image.L2EntryOffset(2);
        byte[] image = Image.ToBytes();
        QemuResult result = await Qcow2Tool.Run("check", _scratch.Write("image", image.WriteU64(entry, image.ReadU64(entry) | 4)));
        Assert.Equal((2, ""), (result.ExitCode, result.Error));
        Assert.StartsWith(
            $"corruption: L2 entry: reserved bits are set in 0x{image.ReadU64(entry):x16} (at byte {entry}, guest offset 8192)\n\n1 errors were found on the image.\n",
            result.Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_HasTheFieldsOfQemuAndTheFindings()
    {
        byte[] image = Image.ToBytes().WriteU64(Image.L2EntryOffset(1), 0).WriteU64(Image.RefcountTableOffset + 8, 4);
        string path = _scratch.Write("image", image);
        QemuResult result = await Qcow2Tool.Run("check", "--output", "json", path);
        Assert.Equal((2, ""), (result.ExitCode, result.Error));
        JsonNode expected = JsonNode.Parse(
            $$"""
            {
                "findings": [
                    {
                        "severity": "corruption", "kind": "refcount-block", "host-offset": {{Image.RefcountTableOffset + 8}},
                        "message": "refcount table entry: reserved bits are set in 0x0000000000000004"
                    },
                    {
                        "severity": "leak", "kind": "refcount-too-high", "host-offset": {{Image.HostOffsetOf(1)}}, "refcount": 1, "references": 0,
                        "message": "cluster 0x{{Image.HostOffsetOf(1):x}}: the refcount is 1, there are 0 references"
                    }
                ],
                "image-end-offset": {{Image.FileLength}}, "total-clusters": 10, "allocated-clusters": 2, "fragmented-clusters": 1,
                "leaks": 1, "corruptions": 1, "check-errors": 0, "filename": "{{path}}", "format": "qcow2"
            }
            """)!;
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(result.Output)), result.Output);
    }

    [Fact]
    public async Task IncompleteCheck_IsExitCode1()
    {
        byte[] image = Image.ToBytes().WriteU32(HeaderField.NbSnapshots, 1).WriteU64(HeaderField.SnapshotsOffset, 1);
        QemuResult result = await Qcow2Tool.Run("check", _scratch.Write("image", image));
        Assert.Equal((1, ""), (result.ExitCode, result.Error));
        Assert.StartsWith(
            "error: snapshot table: snapshot table offset 0x1 is not cluster-aligned (at byte 64)\n\n1 internal errors have occurred during the check.\n",
            result.Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task RawImage_IsOneLineAndExitCode1()
    {
        string path = _scratch.Write("image", new byte[512]);
        QemuResult result = await Qcow2Tool.Run("check", path);
        Assert.Equal((1, "", $"qcow2: the image is raw: only qcow2 images can be checked ({path})\n"), (result.ExitCode, result.Output, result.Error));
    }
}
