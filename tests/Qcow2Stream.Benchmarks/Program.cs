using System.CommandLine;
using Qcow2Stream.Benchmarks;
using Qcow2Stream.Benchmarks.Libqcow;

Option<bool> quick = new("--quick") { Description = "Images of a sixteenth of the size, and fewer runs: shows that all works." };
Option<string?> only = new("--only") { Description = "Measures rows whose name contains this.", HelpName = "PATTERN" };
Option<int?> runs = new("--runs") { Description = "How many pairs of commands are run a row.", HelpName = "N" };
Option<string> work = new("--work")
{
    Description = "Where the images and the native binary are kept.",
    HelpName = "DIR",
    DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "qcow2stream-benchmarks"),
};
Option<string?> markdown = new("--markdown") { Description = "Writes the table to this file too.", HelpName = "FILE" };
Option<bool> commands = new("--commands") { Description = "Measures whole commands only." };
Option<bool> inProcess = new("--in-process") { Description = "Measures calls of the library only." };
runs.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int?>() < 1)
    {
        result.AddError("--runs must be 1 or more.");
    }
});

RootCommand root = new("Does the same work with Qcow2Stream and with others, shows that the results are the same, and prints the ratios of the times.")
{
    quick, only, runs, work, markdown, commands, inProcess, LibqcowCommand.Create(),
};
root.SetAction(parsed => BenchmarkRun.Run(new BenchmarkPlan
{
    Quick = parsed.GetValue(quick),
    Only = parsed.GetValue(only),
    Runs = parsed.GetValue(runs) ?? (parsed.GetValue(quick) ? 3 : 9),
    WorkDirectory = Path.GetFullPath(parsed.GetRequiredValue(work)),
    MarkdownFile = parsed.GetValue(markdown),
    Commands = parsed.GetValue(commands) || !parsed.GetValue(inProcess),
    InProcess = parsed.GetValue(inProcess) || !parsed.GetValue(commands),
}));
return root.Parse(args).Invoke();
