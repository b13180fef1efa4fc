using System.CommandLine;
using Qcow2Stream;
using Qcow2Stream.Cli;

RootCommand root = new("Reads QEMU disk images (qcow2) with their whole backing chain, without qemu, root or FUSE.");

// The options of all commands take as long to make as reading an image's header: only --help and mistakes need them all.
Func<Command>[] commands = args.Length > 0 && CommandList.Commands.TryGetValue(args[0], out Func<Command>? named)
    ? [named]
    : [.. CommandList.Commands.Values];
foreach (Func<Command> create in commands)
{
    root.Add(create());
}

HelpText.Install(root);
ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
    {
        Console.Error.WriteLine($"qcow2: {error.Message}");
    }

    Console.Error.WriteLine("qcow2: see 'qcow2 --help', or --help behind a command");
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
catch (Exception e) when (e is Qcow2Exception or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"qcow2: {e.Message}");
    return ExitCodes.Failure;
}
