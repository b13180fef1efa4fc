using Qcow2Stream.Cli.Limits;
using Shared;
using Spectre.Console;

namespace Qcow2Stream.Cli;

/// <summary>A bar on standard error for work that is counted in bytes; nothing where that isn't a terminal.</summary>
internal static class ByteProgress
{
    public static bool IsShown => !Console.IsErrorRedirected;

    /// <summary>Does the work, which says how many bytes are done, and of how many.</summary>
    /// <param name="title">What is being done.</param>
    /// <param name="work">The work; it gets no progress where nothing is shown.</param>
    /// <returns>What the work gives.</returns>
    public static T Run<T>(string title, Func<IProgress<WorkProgress>?, T> work)
    {
        if (!IsShown)
        {
            return work(null);
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(PrintableErrors.Unescaped) });
        return console.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(),
                new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .Start(context => work(new Bar(context.AddTask(Markup.Escape(PrintableText.Escape(title)), maxValue: 1))));
    }

    /// <summary>Not <see cref="Progress{T}"/>, which reports on another thread and in any order.</summary>
    private sealed class Bar(ProgressTask task) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            task.MaxValue = Math.Max(1, value.Total);
            task.Value = value.Done;
        }
    }
}
