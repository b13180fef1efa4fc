namespace Qcow2Stream;

/// <summary>One header extension as it is in the image (section "Header extensions").</summary>
/// <param name="Type">The extension's type, such as 0xE2792ACA for the backing file format name.</param>
/// <param name="Offset">Where its data starts in the file, in bytes.</param>
/// <param name="Data">Its data, without the padding to 8 bytes.</param>
public readonly record struct Qcow2HeaderExtension(uint Type, long Offset, ReadOnlyMemory<byte> Data);
