namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>A test that looks at something in a browser.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Browser.WhyNot;
}
