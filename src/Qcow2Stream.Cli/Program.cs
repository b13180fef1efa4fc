using System.CommandLine;
using Qcow2Stream;
using Qcow2Stream.Cli;
using Qcow2Stream.Cli.Commands;

ParseResult parsed = Arguments.Parse(args);
if (parsed.Errors.Count > 0)
{
    UsageErrors.Write(parsed, Console.Error);
    return ExitCodes.Usage;
}

try
{
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (IOException e) when (StandardOutput.IsClosedPipe(e))
{
    return ExitCodes.Success;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("qcow2: interrupted");
    return ExitCodes.Interrupted;
}
catch (Exception e) when (e is Qcow2Exception or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"qcow2: {OptionWords.Of(e)}");
    return parsed.CommandResult.Command.Name == CompareCommand.Name ? ExitCodes.NotCompared : ExitCodes.Failure;
}
