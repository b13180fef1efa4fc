using Spectre.Console;

namespace Qcow2Stream.Cli;

/// <summary>A bar on standard error for work that is counted in bytes; nothing where that is no terminal.</summary>
internal static class ByteProgress
{
    public static bool IsShown => !Console.IsErrorRedirected;

    /// <summary>Does the work, which says how many bytes more are done.</summary>
    /// <param name="title">What is being done.</param>
    /// <param name="totalBytes">How much there is; asked only if it is shown.</param>
    /// <param name="work">The work.</param>
    public static void Run(string title, Func<long> totalBytes, Action<Action<long>> work)
    {
        if (!IsShown)
        {
            work(_ => { });
            return;
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(),
                new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: Math.Max(1, totalBytes()));
                work(bytes => task.Increment(bytes));
            });
    }
}
