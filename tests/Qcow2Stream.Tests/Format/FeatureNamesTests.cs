using System.Text;
using Qcow2Stream.Format;

namespace Qcow2Stream.Tests.Format;

public class FeatureNamesTests
{
    private const uint FeatureNameTable = 0x6803F857;

    [Fact]
    public void BitWithoutATable_IsNamedByItsNumber()
    {
        Assert.Equal("incompatible feature bit 5", FeatureNames.DescribeIncompatible(1 << 5, []));
        Assert.Equal("incompatible feature bit 63", FeatureNames.DescribeIncompatible(1UL << 63, []));
    }

    [Fact]
    public void SeveralBits_AreNamedByTheLowest() =>
        Assert.Equal("six (incompatible feature bit 6)", FeatureNames.DescribeIncompatible(0xFF40, [Table(Entry(0, 7, "seven"), Entry(0, 6, "six"))]));

    [Fact]
    public void NamesOfOtherTypesAndBits_AreNotTaken() =>
        Assert.Equal(
            "incompatible feature bit 6",
            FeatureNames.DescribeIncompatible(1 << 6, [Table(Entry(1, 6, "compatible"), Entry(2, 6, "autoclear"), Entry(0, 5, "five"))]));

    [Fact]
    public void OtherExtensions_AreNotTables()
    {
        Qcow2HeaderExtension other = Table(Entry(0, 6, "other")) with { Type = 0x6803F858 };
        Assert.Equal("incompatible feature bit 6", FeatureNames.DescribeIncompatible(1 << 6, [other]));
    }

    [Fact]
    public void EntryCutShort_IsNotTaken()
    {
        byte[] data = [.. Entry(0, 5, "five"), .. Entry(0, 6, "six")[..47]];
        Assert.Equal("incompatible feature bit 6", FeatureNames.DescribeIncompatible(1 << 6, [new(FeatureNameTable, 0, data)]));
        Assert.Equal("five (incompatible feature bit 5)", FeatureNames.DescribeIncompatible(1 << 5, [new(FeatureNameTable, 0, data)]));
    }

    [Fact]
    public void NameThatFillsItsField_IsWhole()
    {
        string name = new('n', 46);
        Assert.Equal($"{name} (incompatible feature bit 6)", FeatureNames.DescribeIncompatible(1 << 6, [Table(Entry(0, 6, name))]));
    }

    [Fact]
    public void EmptyName_IsNoName() =>
        Assert.Equal("incompatible feature bit 6", FeatureNames.DescribeIncompatible(1 << 6, [Table(Entry(0, 6, ""))]));

    [Fact]
    public void ControlCharactersAndInvalidUtf8_AreMadeHarmless()
    {
        byte[] entry = Entry(0, 6, "a\e[1m");
        entry[7] = 0xFF;
        Assert.Equal("a\\u001b[1m\uFFFD (incompatible feature bit 6)", FeatureNames.DescribeIncompatible(1 << 6, [Table(entry)]));
    }

    private static Qcow2HeaderExtension Table(params byte[][] entries) =>
        new(FeatureNameTable, 0, entries.SelectMany(entry => entry).ToArray());

    private static byte[] Entry(byte type, byte bit, string name)
    {
        byte[] entry = new byte[48];
        entry[0] = type;
        entry[1] = bit;
        Encoding.UTF8.GetBytes(name).CopyTo(entry, 2);
        return entry;
    }
}
