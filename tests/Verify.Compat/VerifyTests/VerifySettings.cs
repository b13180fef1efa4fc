namespace VerifyTests;

public sealed class VerifySettings
{
    public VerifySettings()
    {
    }

    public VerifySettings(VerifySettings? settings) => Parameters = settings?.Parameters;

    internal object?[]? Parameters { get; private set; }

    public void UseParameters(params object?[] parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfZero(parameters.Length);
        Parameters = parameters;
    }

    // One array is one parameter of the test, unless it is an object[].
    public void UseParameters<T>(T[] parameters) => Parameters = [parameters];

    public void UseParameters<T>(T parameter) => Parameters = [parameter];
}
