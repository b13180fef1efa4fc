namespace Qcow2Stream.Tests.Nbd;

/// <inheritdoc cref="NbdFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NbdTheoryAttribute : TheoryAttribute
{
    public NbdTheoryAttribute() => Skip = NbdTools.WhyNot;
}
