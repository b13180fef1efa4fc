using Shared;

namespace Qcow2Stream.Tests.Format;

public class PrintableTextTests
{
    [Theory]
    [InlineData("")]
    [InlineData("plain ASCII ~!")]
    [InlineData("Ünïcödé, 基盤, 💾")]
    [InlineData(@"back\slash")]
    public void Printable_StaysAsItIs(string text) => Assert.Equal(text, PrintableText.Escape(text));

    [Theory]
    [InlineData("\0", @"\u0000")]
    [InlineData("a\nb\tc\r", @"a\u000ab\u0009c\u000d")]
    [InlineData("\e[31mred", @"\u001b[31mred")]
    [InlineData("\u007f\u0080\u009b", @"\u007f\u0080\u009b")]
    [InlineData("\u202egnp.exe", @"\u202egnp.exe")] // right-to-left override
    [InlineData("\u200b\ufeff\u2066", @"\u200b\ufeff\u2066")] // no width, byte order mark, isolate
    [InlineData("\u2028\u2029", @"\u2028\u2029")] // line and paragraph separator
    [InlineData("\ue000", @"\ue000")] // private use
    [InlineData("\ufffe", @"\ufffe")] // unassigned
    [InlineData("\U000E0001", @"\ue0001")] // beyond the first plane
    public void Unprintable_IsEscaped(string text, string escaped) => Assert.Equal(escaped, PrintableText.Escape(text));

    [Fact]
    public void UnpairedSurrogate_BecomesTheReplacementCharacter() =>
        Assert.Equal("a\uFFFDb", PrintableText.Escape($"a{(char)0xD800}b"));

    [Fact]
    public void EveryControlCharacter_IsEscaped()
    {
        for (char character = '\0'; character < '\u0100'; character++)
        {
            string escaped = PrintableText.Escape($"{character}");
            Assert.Equal(char.IsControl(character) || character == '\u00ad', escaped.Length > 1);
            Assert.DoesNotContain(escaped, c => char.IsControl(c));
        }
    }

    /// <summary>Programs log exceptions, and what these quote is a stranger's.</summary>
    [Fact]
    public void MessagesOfExceptions_HoldNoControlCharacters()
    {
        const string Evil = "a\u001b[31m\nb\u009b\u202ec";
        Assert.All(
            [
                new Qcow2Exception(Evil, imagePath: Evil),
                new Qcow2FormatException(Evil),
                new Qcow2Stream.FileSystems.GuestException(Evil),
                Record.Exception(() => Qcow2Chain.Open(Evil))!,
            ],
            e => Assert.DoesNotContain(e.Message, c => char.IsControl(c) || c == '\u202e'));
    }
}
