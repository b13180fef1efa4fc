using System.Diagnostics;
using System.Reflection;
using Qcow2Stream.Benchmarks.Commands;
using Qcow2Stream.Benchmarks.Images;
using Qcow2Stream.Benchmarks.InProcess;
using Qcow2Stream.Benchmarks.Processes;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks;

/// <summary>Makes the images, shows that everything is right, measures, and prints the table.</summary>
internal static class BenchmarkRun
{
    /// <returns>The exit code: 0, or 1 if nothing could be measured or something gave a wrong result.</returns>
    public static int Run(BenchmarkPlan plan)
    {
        if (WhyNot() is { } reason)
        {
            Console.Error.WriteLine($"nothing was measured: {reason}");
            return 1;
        }

        BenchmarkImages images = new(plan.WorkDirectory, plan.Sizes);
        DiskBenchmark.Images = images;
        IMeasurement[] measurements = [.. Create(plan, images).Where(measurement => measurement.Names.Any(plan.Includes))];
        try
        {
            foreach (IMeasurement measurement in measurements)
            {
                Console.Error.WriteLine($"checking {measurement.Names[0]}");
                measurement.Verify();
            }
        }
        catch (WrongResultException e)
        {
            Console.Error.WriteLine($"nothing was measured: {e.Message}");
            return 1;
        }

        List<ResultRow> rows = [];
        foreach (IMeasurement measurement in measurements)
        {
            Console.Error.WriteLine($"measuring {measurement.Names[0]}");
            rows.AddRange(measurement.Measure().Where(row => plan.Includes(row.Name)));
        }

        string table = $"{Machine.Describe(plan.Sizes.Name)}\n\n{RatioTable.Format(rows)}";
        Console.Out.Write(table);
        if (plan.MarkdownFile is { } file)
        {
            File.WriteAllText(file, table);
        }

        return 0;
    }

    private static string? WhyNot()
    {
        bool debug = typeof(Qcow2Chain).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true };
        return debug ? "the times of a debug build mean nothing; add -c Release"
            : OperatingSystem.IsWindows() ? "commands are started as Unix does it"
            : Qemu.WhyNot;
    }

    private static IEnumerable<IMeasurement> Create(BenchmarkPlan plan, BenchmarkImages images)
    {
        if (plan.Commands)
        {
            string binary = NativeBinary.Publish(Path.Combine(plan.WorkDirectory, "native"));
            foreach (IMeasurement row in CommandRows.Create(new CommandSetting(images, binary, plan.Runs)))
            {
                yield return row;
            }
        }

        if (plan.InProcess)
        {
            foreach (IMeasurement rows in InProcessMeasurements.Create(plan))
            {
                yield return rows;
            }
        }
    }
}
