using System.Reflection;
using Xunit.Sdk;

namespace VerifyXunit;

// Stands on the test assembly: xunit v2 tells a running test nothing else about itself.
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class UseVerifyAttribute : BeforeAfterTestAttribute
{
    private static readonly AsyncLocal<MethodInfo?> Current = new();

    public override void Before(MethodInfo methodUnderTest) => Current.Value = methodUnderTest;

    public override void After(MethodInfo methodUnderTest) => Current.Value = null;

    public static MethodInfo GetMethod() => Current.Value
        ?? throw new InvalidOperationException("No test is running here, or [assembly: UseVerify] is missing.");
}
