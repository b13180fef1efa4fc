using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Tests.Blocks;

/// <summary>What parity gives back is what was there, whatever is missing of a row.</summary>
public sealed class ParityTests
{
    private const int Length = 100;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(40)]
    public void AnyTwoThatAreMissing_ComeBack(int columns)
    {
        byte[][] row = Row(columns);
        (byte[] p, byte[] q) = Sums(row);
        for (int first = 0; first < columns; first++)
        {
            for (int second = first; second < columns; second++)
            {
                byte[]?[] left = [.. row];
                (left[first], left[second]) = (null, null);
                Assert.True(Parity.Recover(left, p, q));
                Assert.Equal(row, left);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OneThatIsMissing_ComesBackFromEitherSum(bool fromP)
    {
        byte[][] row = Row(6);
        (byte[] p, byte[] q) = Sums(row);
        for (int missing = 0; missing < row.Length; missing++)
        {
            byte[]?[] left = [.. row];
            left[missing] = null;
            Assert.True(Parity.Recover(left, fromP ? p : null, fromP ? null : q));
            Assert.Equal(row, left);
        }
    }

    [Fact]
    public void MoreThanTheSums_IsTooMuch()
    {
        byte[][] row = Row(4);
        (byte[] p, byte[] q) = Sums(row);
        Assert.False(Parity.Recover([null, row[1], row[2], row[3]], null, null));
        Assert.False(Parity.Recover([null, null, row[2], row[3]], p, null));
        Assert.False(Parity.Recover([null, null, row[2], row[3]], null, q));
        Assert.False(Parity.Recover([null, null, null, row[3]], p, q));
        Assert.True(Parity.Recover([.. row], null, null));
    }

    private static byte[][] Row(int columns)
    {
        Random random = new(columns);
        return [.. Enumerable.Range(0, columns).Select(_ =>
        {
            byte[] block = new byte[Length];
            random.NextBytes(block);
            return block;
        })];
    }

    /// <summary>The sums by their definition: a block counts 2^column in the second one.</summary>
    private static (byte[] P, byte[] Q) Sums(byte[][] row)
    {
        (byte[] p, byte[] q) = (new byte[Length], new byte[Length]);
        for (int column = 0; column < row.Length; column++)
        {
            for (int i = 0; i < Length; i++)
            {
                int weighted = row[column][i];
                for (int power = 0; power < column; power++)
                {
                    weighted = (weighted << 1) ^ ((weighted & 0x80) != 0 ? 0x11D : 0);
                }

                p[i] ^= row[column][i];
                q[i] ^= (byte)weighted;
            }
        }

        return (p, q);
    }
}
