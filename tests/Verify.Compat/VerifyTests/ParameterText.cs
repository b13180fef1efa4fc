using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace VerifyTests;

// The part of a file's name that distinguishes the cases of a theory: "_name=value" for each parameter.
internal static class ParameterText
{
    // The same set on every system, or a snapshot written on one could not be checked out on another.
    private static readonly SearchValues<char> InvalidCharacters = SearchValues.Create(
        [.. "\"\\<>|:*?/", .. Enumerable.Range(0, 32).Select(code => (char)code)]);

    public static string For(MethodInfo method, object?[]? values)
    {
        ParameterInfo[] names = method.GetParameters();
        if (values is null || names.Length == 0)
        {
            return "";
        }

        if (values.Length > names.Length)
        {
            throw new ArgumentException(
                $"{values.Length} parameters were passed in, but {method.Name} has {names.Length}.", nameof(values));
        }

        var builder = new StringBuilder();
        foreach ((ParameterInfo name, object? value) in names.Zip(values))
        {
            builder.Append('_').Append(name.Name).Append('=');
            Append(builder, value, nested: false);
        }

        return builder.ToString();
    }

    private static void Append(StringBuilder builder, object? value, bool nested)
    {
        switch (value)
        {
            case null:
                builder.Append("null");
                break;
            case string text:
                AppendValid(builder, text);
                break;
            case DateTime or DateTimeOffset or DateOnly or TimeOnly or IDictionary:
                throw new NotSupportedException(
                    $"The name that Verify gives to a parameter of type {value.GetType()} is not known here.");
            case IEnumerable items:
                AppendItems(builder, items, nested);
                break;
            case IFormattable formattable:
                AppendValid(builder, formattable.ToString(null, CultureInfo.InvariantCulture));
                break;
            default:
                AppendValid(builder, value.ToString() ?? "");
                break;
        }
    }

    private static void AppendItems(StringBuilder builder, IEnumerable items, bool nested)
    {
        var inner = new StringBuilder();
        string separator = "";
        foreach (object? item in items)
        {
            inner.Append(separator);
            Append(inner, item, nested: true);
            separator = ",";
        }

        bool brackets = nested || separator.Length == 0;
        builder.Append(brackets ? "[" : "").Append(inner).Append(brackets ? "]" : "");
    }

    private static void AppendValid(StringBuilder builder, string text)
    {
        foreach (char character in text)
        {
            builder.Append(InvalidCharacters.Contains(character) ? '-' : character);
        }
    }
}
