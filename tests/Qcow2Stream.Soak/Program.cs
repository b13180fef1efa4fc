using System.Globalization;
using Qcow2Stream.Soak;

// SECONDS, 60 unless given: how long to read.
int seconds = args.Length > 0 ? int.Parse(args[0], NumberStyles.None, CultureInfo.InvariantCulture) : 60;
return await SoakRun.RunAsync(TimeSpan.FromSeconds(seconds));
