using Spectre.Console;

namespace Qcow2Stream.Cli;

/// <summary>A bar on standard error for work that is counted in bytes; nothing where that is no terminal.</summary>
internal static class ByteProgress
{
    public static bool IsShown => !Console.IsErrorRedirected;

    /// <summary>Does the work, which says how many bytes are done, and of how many; it gets nobody to tell where nothing is shown.</summary>
    /// <param name="title">What is being done.</param>
    /// <param name="work">The work.</param>
    public static void Run(string title, Action<IProgress<WorkProgress>?> work)
    {
        if (!IsShown)
        {
            work(null);
            return;
        }

        Start(title, task => work(new Bar(task)));
    }

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

        Start(title, task =>
        {
            task.MaxValue = Math.Max(1, totalBytes());
            work(bytes => task.Increment(bytes));
        });
    }

    private static void Start(string title, Action<ProgressTask> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(),
                new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .Start(context => work(context.AddTask(Markup.Escape(title), maxValue: 1)));
    }

    /// <summary>Not <see cref="Progress{T}"/>, which tells on another thread and in any order.</summary>
    private sealed class Bar(ProgressTask task) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            task.MaxValue = Math.Max(1, value.Total);
            task.Value = value.Done;
        }
    }
}
