namespace VerifyTests;

// Not public in Verify either, so that no test can come to depend on it.
internal sealed class VerifyException(string message) : Exception(message)
{
    // The message is the whole story; frames of the snapshot library only push it off the screen.
    public override string StackTrace => "";
}
