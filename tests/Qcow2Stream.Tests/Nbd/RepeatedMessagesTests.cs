using Qcow2Stream.Cli;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>What a server that fails over and over writes: a few lines.</summary>
public sealed class RepeatedMessagesTests
{
    [Fact]
    public void MessagesThatDifferInFigures_AreCounted()
    {
        using StringWriter output = new() { NewLine = "\n" };
        RepeatedMessages messages = new(output);
        for (int i = 0; i < 1_000_000; i++)
        {
            messages.Write($"the disk can't be read at 0x{i * 512:x} (sector {i} of a1.qcow2)");
        }

        messages.Finish();
        messages.Finish();
        string[] lines = output.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal(21, lines.Length);
        Assert.Equal("qcow2: the disk can't be read at 0x0 (sector 0 of a1.qcow2)", lines[0]);
        Assert.Equal("qcow2: the disk can't be read at 0x200 (sector 1 of a1.qcow2) (2 errors like this so far)", lines[1]);
        Assert.EndsWith("(524288 errors like this so far)", lines[19], StringComparison.Ordinal);
        Assert.Equal("qcow2: 1000000 errors in all like this: the disk can't be read at 0x0 (sector 0 of a1.qcow2)", lines[20]);
    }

    [Fact]
    public void MessagesThatAllDiffer_AreFewKinds()
    {
        using StringWriter output = new() { NewLine = "\n" };
        RepeatedMessages messages = new(output);
        for (int i = 0; i < 100_000; i++)
        {
            messages.Write($"{new string((char)('a' + (i % 26)), 1 + (i / 26))}");
        }

        messages.Finish();
        Assert.InRange(output.ToString().Split('\n').Length, RepeatedMessages.MaxKinds, RepeatedMessages.MaxKinds + 20);
    }

    [Fact]
    public void OneOfEach_IsAllThatIsWritten()
    {
        using StringWriter output = new() { NewLine = "\n" };
        RepeatedMessages messages = new(output);
        messages.Write("one");
        messages.Write("another");
        messages.Finish();
        Assert.Equal("qcow2: one\nqcow2: another\n", output.ToString());
    }
}
