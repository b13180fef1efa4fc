using System.CommandLine;
using Qcow2Stream.Cli;
using Qcow2Stream.Cli.Commands;
using Qcow2Stream.Cli.Limits;

Supervision.HearOfChildren();
PrintableErrors.Install();
AppDomain.CurrentDomain.UnhandledException += (_, e) =>
{
    Console.Error.WriteLine(FailureMessage.Of((Exception)e.ExceptionObject));
    Environment.Exit(ExitCodes.Failure);
};

ProcessLimits.MakeFileSizeAnError();
ParseResult parsed = Arguments.Parse(args);
if (parsed.Errors.Count > 0)
{
    UsageErrors.Write(parsed, Console.Error);
    return ExitCodes.Usage;
}

int failure = parsed.CommandResult.Command.Name == CompareCommand.Name ? ExitCodes.NotCompared : ExitCodes.Failure;
Deadline? deadline = null;
try
{
    if (parsed.CommandResult.Command is GuestCommand)
    {
        using Deadline? late = Deadline.Start(parsed, failure, Supervision.Grace);
        if (Supervision.Run() is { } ended)
        {
            return ended;
        }
    }

    using Deadline? started = deadline = Deadline.Start(parsed, failure);
    int code = parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    if (deadline is not { HasPassed: true })
    {
        return code;
    }

    // What ends when it is told to (serve) wasn't to be ended by this.
    Console.Error.WriteLine(deadline.Message);
    return failure;
}
catch (IOException e) when (StandardOutput.IsClosedPipe(e))
{
    return ExitCodes.Success;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine(deadline is { HasPassed: true } ? deadline.Message : "qcow2: interrupted");
    return deadline is { HasPassed: true } ? failure : ExitCodes.Interrupted;
}
catch (Exception e)
{
    // Whatever it is, a user gets a line, and never a stack trace.
    Console.Error.WriteLine(FailureMessage.Of(e));
    return failure;
}
