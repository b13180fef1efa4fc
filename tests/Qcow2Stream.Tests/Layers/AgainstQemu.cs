using System.Text;
using System.Text.Json;
using Qcow2Stream.Tests.Differential;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

/// <summary>Compares a chain with what qemu-img says of it.</summary>
internal static class AgainstQemu
{
    /// <summary>The bytes, read whole, in odd pieces and without blocking, are those that qemu-img converts to.</summary>
    public static async Task BytesAreEqual(string image, TempDirectory scratch)
    {
        string raw = scratch.File($"{Guid.NewGuid():N}.raw");
        await Qemu.ImgIn(scratch.Path, "convert", "-O", "raw", image, raw);
        byte[] expected = await File.ReadAllBytesAsync(raw);
        using Qcow2Chain chain = Qcow2Chain.Open(image);
        byte[] actual = new byte[chain.Length];
        Assert.Equal(actual.Length, chain.ReadAt(0, actual));
        Assert.Equal(expected, actual);

        actual.AsSpan().Clear();
        Assert.Equal(actual.Length, await chain.ReadAtAsync(0, actual));
        Assert.Equal(expected, actual);
        Random random = new(1);
        for (int i = 0; i < 100 && expected.Length > 0; i++)
        {
            int start = random.Next(expected.Length);
            byte[] piece = new byte[random.Next(1, Math.Min(70_000, expected.Length - start + 1))];
            int read = i % 2 == 0 ? chain.ReadAt(start, piece) : await chain.ReadAtAsync(start, piece);
            Assert.Equal(expected.AsSpan(start, piece.Length).ToArray(), piece);
            Assert.Equal(piece.Length, read);
        }
    }

    public static async Task MapIsEqual(string image, TempDirectory scratch) =>
        Assert.Equal(await Qemu.ImgIn(scratch.Path, "map", "--output=json", image), JsonMap(image));

    /// <summary>The JSON map, as qemu-img prints it that knows no field for compression.</summary>
    public static string JsonMap(string image)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(image);
        string json = MapText.Json(chain);
        JsonDocument.Parse(json).Dispose();
        return json.Replace(", \"compressed\": true", "", StringComparison.Ordinal)
            .Replace(", \"compressed\": false", "", StringComparison.Ordinal);
    }

    public static string TextMap(string image)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(image);
        MemoryStream map = new();
        chain.Map().WriteText(map);
        return Encoding.UTF8.GetString(map.ToArray());
    }
}
