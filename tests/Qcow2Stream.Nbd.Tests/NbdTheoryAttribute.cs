using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <inheritdoc cref="NbdFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NbdTheoryAttribute : TheoryAttribute
{
    public NbdTheoryAttribute() => Skip = NbdTools.WhyNot;
}
