namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>A section of a metadata text: values and sections by their names, in the order of the text.</summary>
internal sealed class MetadataNode(string name)
{
    private readonly List<MetadataNode> _sections = [];

    // A number, a string, or a list of such.
    private readonly Dictionary<string, object> _values = [];

    public string Name => name;

    public IReadOnlyList<MetadataNode> Sections => _sections;

    public void Add(MetadataNode section) => _sections.Add(section);

    /// <summary>Of two values of one name the first counts.</summary>
    public void Add(string key, object value) => _values.TryAdd(key, value);

    /// <summary>The section of a name; null if there is none.</summary>
    public MetadataNode? Section(string key) => _sections.Find(section => section.Name == key);

    public bool Has(string key) => _values.ContainsKey(key);

    /// <exception cref="GuestException">There is none, or it isn't a number from 0 on.</exception>
    public long Number(string key) => _values.GetValueOrDefault(key) is long and >= 0 and var value ? value : throw Lacks(key, "number");

    /// <inheritdoc cref="Number(string)"/>
    public long Number(string key, long otherwise) => Has(key) ? Number(key) : otherwise;

    /// <exception cref="GuestException">There is none, or it isn't a string.</exception>
    public string Text(string key) => _values.GetValueOrDefault(key) as string ?? throw Lacks(key, "name");

    /// <summary>A list; empty if there is none. A single value is a list of one.</summary>
    public IReadOnlyList<object> List(string key) => _values.GetValueOrDefault(key) switch
    {
        null => [],
        IReadOnlyList<object> list => list,
        var one => [one],
    };

    private GuestException Lacks(string key, string what) => new($"its metadata is damaged: '{name}' has no {what} '{key}'");
}
