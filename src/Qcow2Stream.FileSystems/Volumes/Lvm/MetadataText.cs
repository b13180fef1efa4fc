using System.Globalization;
using System.Text;

namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>
/// Reads the text in which LVM2 keeps its metadata (lvm.conf(5), "SYNTAX"): values, <c>name = 1</c>, <c>name = "text"</c>, <c>name = ["a", 1]</c>, and sections,
/// <c>name { … }</c>; a <c>#</c> begins a comment.
/// </summary>
internal ref struct MetadataText
{
    private const int MaxDepth = 16;

    // Far more than of thousands of logical volumes; each takes memory.
    private const int MaxItems = 1_000_000;

    private readonly ReadOnlySpan<byte> _text;
    private int _at;
    private int _items;

    private MetadataText(ReadOnlySpan<byte> text) => _text = text;

    /// <summary>The whole text, as a section without a name.</summary>
    /// <exception cref="GuestException">It isn't in this form.</exception>
    public static MetadataNode Parse(ReadOnlySpan<byte> text)
    {
        MetadataText reader = new(text.TrimEnd((byte)0));
        MetadataNode root = new("");
        reader.ReadInto(root, depth: 0);
        return root;
    }

    private void ReadInto(MetadataNode node, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new GuestException($"its sections are nested more than {MaxDepth} deep");
        }

        for (SkipBlanks(); _at < _text.Length && _text[_at] != '}'; SkipBlanks())
        {
            string name = ReadName();
            SkipBlanks();
            if (Take('{'))
            {
                MetadataNode section = new(name);
                ReadInto(section, depth + 1);
                Expect('}');
                node.Add(section);
            }
            else
            {
                Expect('=');
                SkipBlanks();
                node.Add(name, ReadValue());
            }

            Count();
        }

        if (depth == 0 && _at < _text.Length)
        {
            throw Fault();
        }
    }

    private object ReadValue() => !Take('[') ? ReadPlain() : ReadList();

    private List<object> ReadList()
    {
        List<object> list = [];
        for (SkipBlanks(); !Take(']'); SkipBlanks())
        {
            list.Add(ReadPlain());
            Count();
            SkipBlanks();
            if (!Take(','))
            {
                SkipBlanks();
                Expect(']');
                break;
            }
        }

        return list;
    }

    private object ReadPlain()
    {
        if (Take('"'))
        {
            return ReadString();
        }

        ReadOnlySpan<byte> word = ReadWord();
        return long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number
            : word.IsEmpty ? throw Fault()
            : Encoding.Latin1.GetString(word);
    }

    private string ReadString()
    {
        List<byte> bytes = [];
        for (; _at < _text.Length && _text[_at] != '"'; _at++)
        {
            if (_text[_at] == '\\' && _at + 1 < _text.Length)
            {
                _at++;
            }

            bytes.Add(_text[_at]);
        }

        Expect('"');
        return GuestText.FromBytes([.. bytes]);
    }

    private string ReadName()
    {
        ReadOnlySpan<byte> word = ReadWord();
        return word.IsEmpty ? throw Fault() : Encoding.Latin1.GetString(word);
    }

    private ReadOnlySpan<byte> ReadWord()
    {
        int start = _at;
        while (_at < _text.Length && _text[_at] > ' ' && !"={}[],\"#"u8.Contains(_text[_at]))
        {
            _at++;
        }

        return _text[start.._at];
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && (_text[_at] <= ' ' || _text[_at] == '#'))
        {
            int lineEnd = _text[_at] == '#' ? _text[_at..].IndexOf((byte)'\n') : 0;
            _at = lineEnd < 0 ? _text.Length : _at + lineEnd + 1;
        }
    }

    private bool Take(char wanted)
    {
        if (_at >= _text.Length || _text[_at] != wanted)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Expect(char wanted)
    {
        if (!Take(wanted))
        {
            throw Fault();
        }
    }

    private void Count()
    {
        if (++_items > MaxItems)
        {
            throw new GuestException($"it has more than {MaxItems} values");
        }
    }

    private readonly GuestException Fault() => new($"its text is damaged at byte {_at}");
}
