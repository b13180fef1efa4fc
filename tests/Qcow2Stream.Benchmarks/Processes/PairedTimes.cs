namespace Qcow2Stream.Benchmarks.Processes;

/// <summary>
/// Two programs measured in pairs, in random order within each, so that whatever else the machine does meets both.
/// </summary>
/// <param name="Ratio">The median of the pairs' ratios, ours divided by the peer's.</param>
/// <param name="Ours">Our median in milliseconds.</param>
/// <param name="Peer">The peer's median in milliseconds.</param>
internal sealed record PairedTimes(double Ratio, double Ours, double Peer)
{
    public static PairedTimes Measure(ProgramCall ours, ProgramCall peer, int runs)
    {
        // Fills the page cache, and is not counted.
        SpawnedProcess.Time(peer);
        SpawnedProcess.Time(ours);

        Random order = new(runs);
        double[] oursTimes = new double[runs];
        double[] peerTimes = new double[runs];
        for (int run = 0; run < runs; run++)
        {
            bool oursFirst = order.Next(2) == 0;
            double first = SpawnedProcess.Time(oursFirst ? ours : peer).TotalMilliseconds;
            double second = SpawnedProcess.Time(oursFirst ? peer : ours).TotalMilliseconds;
            (oursTimes[run], peerTimes[run]) = oursFirst ? (first, second) : (second, first);
        }

        return new PairedTimes(Median.Of(oursTimes.Zip(peerTimes, (o, p) => o / p)), Median.Of(oursTimes), Median.Of(peerTimes));
    }
}
