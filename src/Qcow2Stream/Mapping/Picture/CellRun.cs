namespace Qcow2Stream.Mapping.Picture;

/// <summary>Cells beside one another in one row that look alike.</summary>
internal readonly record struct CellRun(int Row, int Column, int Count);
