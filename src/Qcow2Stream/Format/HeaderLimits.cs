namespace Qcow2Stream.Format;

/// <summary>How much a header may claim: the caller's limits, see <see cref="Qcow2OpenOptions"/>.</summary>
/// <param name="L1TableBytes">See <see cref="Qcow2OpenOptions.MaxL1TableBytes"/>.</param>
/// <param name="HeaderExtensions">See <see cref="Qcow2OpenOptions.MaxHeaderExtensions"/>.</param>
/// <param name="BackingFileNameBytes">See <see cref="Qcow2OpenOptions.MaxBackingFileNameBytes"/>.</param>
/// <param name="BackingFormatBytes">See <see cref="Qcow2OpenOptions.MaxBackingFormatBytes"/>.</param>
/// <param name="DataFileNameBytes">See <see cref="Qcow2OpenOptions.MaxDataFileNameBytes"/>.</param>
internal readonly record struct HeaderLimits(
    int L1TableBytes, int HeaderExtensions, int BackingFileNameBytes, int BackingFormatBytes, int DataFileNameBytes);
