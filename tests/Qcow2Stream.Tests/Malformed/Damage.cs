namespace Qcow2Stream.Tests.Malformed;

/// <summary>One damaged image, and the error that says so.</summary>
internal sealed record Damage(
    string Name, Func<byte[]> Image, Type Exception, string Text, long? HostOffset = null, long? GuestOffset = null)
{
    public override string ToString() => Name;

    public void Check(Exception? actual, string imagePath)
    {
        Assert.IsType(Exception, actual);
        var error = (Qcow2Exception)actual;
        Assert.Contains(Text, error.Message, StringComparison.Ordinal);
        Assert.Equal(imagePath, error.ImagePath);
        Assert.Equal(HostOffset, error.HostOffset);
        Assert.Equal(GuestOffset, error.GuestOffset);
    }
}
