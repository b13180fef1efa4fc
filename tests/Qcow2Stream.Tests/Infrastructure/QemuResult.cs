namespace Qcow2Stream.Tests.Infrastructure;

internal sealed record QemuResult(int ExitCode, string Output, string Error);
