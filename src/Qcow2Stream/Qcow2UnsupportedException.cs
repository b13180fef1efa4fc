namespace Qcow2Stream;

/// <summary>An image is valid but uses a feature, or needs more of a resource, than is handled here.</summary>
public sealed class Qcow2UnsupportedException : Qcow2Exception
{
    /// <summary>Initializes the exception.</summary>
    /// <param name="feature">The feature's name, as the specification or the image itself gives it.</param>
    /// <param name="problem">What is wrong, naming the feature.</param>
    /// <param name="imagePath">The file at fault, as it was opened.</param>
    /// <param name="hostOffset">Where in the file, in bytes.</param>
    public Qcow2UnsupportedException(string feature, string problem, string? imagePath = null, long? hostOffset = null)
        : base(problem, imagePath, guestOffset: null, hostOffset)
    {
        Feature = feature;
    }

    /// <summary>The feature that is not handled.</summary>
    public string Feature { get; }
}
