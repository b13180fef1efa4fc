namespace Qcow2Stream;

/// <summary>A spot of a damaged image that <see cref="Qcow2OpenOptions.Lenient"/> papered over.</summary>
/// <param name="Reason">What is wrong there, and what was read in its place.</param>
/// <param name="ImagePath">The file; null for a stream without a name.</param>
/// <param name="GuestOffset">Where the guest's range starts, in bytes; null if the spot belongs to none.</param>
/// <param name="GuestLength">How many guest bytes are affected; 0 if not known.</param>
/// <param name="HostOffset">Where in the file, in bytes.</param>
public readonly record struct ImageDamage(
    string Reason, string? ImagePath, long? GuestOffset, long GuestLength, long? HostOffset);
