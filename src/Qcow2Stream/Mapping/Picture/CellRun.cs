namespace Qcow2Stream.Mapping.Picture;

/// <summary>Neighbouring cells in one row that look alike.</summary>
internal readonly record struct CellRun(int Row, int Column, int Count);
