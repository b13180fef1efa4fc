using System.Diagnostics.Metrics;
using Qcow2Stream;

namespace ReadmeExamples;

/// <summary>Writes what the library counts, here while another example runs.</summary>
internal static class Listen
{
    public static void Run()
    {
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == Qcow2Diagnostics.MeterName)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, state) => Console.WriteLine($"{instrument.Name}: {value}"));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, state) => Console.WriteLine($"{instrument.Name}: {value} s"));
        listener.Start();
        ReadDisk.Run();
    }
}
