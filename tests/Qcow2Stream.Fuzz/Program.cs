using System.Globalization;
using Qcow2Stream.Fuzz;
using Qcow2Stream.Fuzz.Tool;
using SharpFuzz;

// The largest input that AFL makes.
const int MostInput = 1 << 20;

switch (args)
{
    case ["list"]:
        Console.WriteLine(string.Join('\n', HarnessList.Names));
        return 0;
    case ["seeds", var name, var directory] when HarnessList.Make(name) is { } harness:
        Directory.CreateDirectory(directory);
        foreach ((string file, byte[] seed) in harness.Seeds)
        {
            File.WriteAllBytes(Path.Combine(directory, file), seed);
        }

        return 0;
    case ["fuzz", var name] when HarnessList.Names.Contains(name):
        byte[] buffer = new byte[MostInput];
        IHarness? fuzzed = null;
        Fuzzer.OutOfProcess.Run(stream =>
        {
            // Not before: an instrumented library works only in here.
            fuzzed ??= HarnessList.Make(name)!;
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            Execution.Run(fuzzed, new ArraySegment<byte>(buffer, 0, length));
        });
        return 0;
    case ["tool", var binary, var seconds, .. var seed] when OperatingSystem.IsLinux() && double.TryParse(seconds, CultureInfo.InvariantCulture, out double time):
        int first = seed is [var text] ? int.Parse(text, CultureInfo.InvariantCulture) : Environment.TickCount & int.MaxValue;
        return new ToolLoop(binary).Run(first, TimeSpan.FromSeconds(time)) == 0 ? 0 : 1;
    case [var name, _, ..] when HarnessList.Make(name) is { } harness:
        foreach (string path in args[1..])
        {
            Console.WriteLine(path);
            Execution.Run(harness, File.ReadAllBytes(path));
        }

        return 0;
    default:
        Console.Error.WriteLine($"""
            usage: HARNESS FILE...         runs a harness over inputs; one that breaks an invariant ends it
                   seeds HARNESS DIRECTORY writes the harness's seeds
                   fuzz HARNESS            under afl-fuzz; see fuzz.sh
                   list                    lists the harnesses
                   tool BINARY SECONDS [SEED]  runs the command line on damaged guest disks
            harnesses: {string.Join(", ", HarnessList.Names)}
            """);
        return 2;
}
