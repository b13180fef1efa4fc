using System.Runtime.CompilerServices;

namespace Qcow2Stream.Tests.Infrastructure;

internal static class SnapshotPaths
{
    [ModuleInitializer]
    internal static void Initialize() => Verifier.DerivePathInfo((sourceFile, projectDirectory, type, method) =>
        new PathInfo(
            directory: Path.GetFullPath(Path.Combine(projectDirectory, "..", "..", "snapshots")),
            typeName: type.Name,
            methodName: method.Name));
}
