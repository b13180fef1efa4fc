using DiscUtils;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Opening;
using Qcow2Stream.Text;

namespace Qcow2Stream;

/// <content>Opening: by path, by address, from a stream, from a file of any kind.</content>
public sealed partial class Qcow2Chain
{
    /// <summary>Opens an image, qcow2 or raw, and its backing chain.</summary>
    /// <param name="path">The top image: a regular file.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    /// <exception cref="FileNotFoundException">The top image does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The host denies access to the top image.</exception>
    /// <exception cref="Qcow2FormatException">An image of the chain is damaged.</exception>
    /// <exception cref="Qcow2UnsupportedException">An image of the chain uses a feature that is not handled.</exception>
    /// <exception cref="NamedFileException">A backing file is missing, refused, part of a loop or one layer too many.</exception>
    public static Qcow2Chain Open(string path, Qcow2OpenOptions? options = null) =>
        OpenAsync(ImageSource.Of(path), options, async: false, default).Now();

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <summary>
    /// Opens an image on a web server and its backing chain: only the ranges that are read are downloaded. Names of
    /// backing files are taken from the directory of the address of the image that names them.
    /// </summary>
    /// <param name="uri">The top image: an absolute address, http or https. Its query, which may be a signature, is kept out of all messages.</param>
    /// <param name="options">How to open; null for the defaults. <see cref="Qcow2OpenOptions.Http"/> says how to ask the server.</param>
    /// <exception cref="ArgumentException">The address is not absolute, not of http or https, or names a user.</exception>
    /// <exception cref="Qcow2Exception">The server can't be reached, or serves no ranges.</exception>
    public static Qcow2Chain Open(Uri uri, Qcow2OpenOptions? options = null) =>
        OpenAsync(ImageSource.Of(uri, options), options, async: false, default).Now();

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <summary>Opens an image from a stream; files that it names are opened only if <see cref="Qcow2OpenOptions.Follow"/> says so.</summary>
    /// <param name="stream">Readable and seekable. The chain then owns it, even if this fails, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    /// <exception cref="ArgumentException">The stream can't be read or can't seek.</exception>
    public static Qcow2Chain Open(Stream stream, Qcow2OpenOptions? options = null) =>
        OpenAsync(ImageSource.Of(stream, options), options, async: false, default).Now();

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <summary>
    /// Opens an image from a file of any kind. Files that it names are opened as for an image opened by path or address, if
    /// it comes from <see cref="HostFile.FromPath"/> or <see cref="HostFile.FromUri"/>; otherwise only if <see cref="Qcow2OpenOptions.Follow"/> says so.
    /// </summary>
    /// <param name="file">The top image, which the chain then owns, even if this fails, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    public static Qcow2Chain Open(HostFile file, Qcow2OpenOptions? options = null) =>
        OpenAsync(ImageSource.Of(file, options), options, async: false, default).Now();

    /// <inheritdoc cref="Open(string, Qcow2OpenOptions?)"/>
    /// <param name="path">The top image: a regular file.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the opening; what was opened is closed.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Task<Qcow2Chain> OpenAsync(
        string path, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        FromCall(() => ImageSource.Of(path), options, cancellationToken);

    /// <inheritdoc cref="Open(Uri, Qcow2OpenOptions?)"/>
    /// <param name="uri">The top image: an absolute address, http or https. Its query, which may be a signature, is kept out of all messages.</param>
    /// <param name="options">How to open; null for the defaults. <see cref="Qcow2OpenOptions.Http"/> says how to ask the server.</param>
    /// <param name="cancellationToken">Ends the opening; what was opened is closed.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Task<Qcow2Chain> OpenAsync(
        Uri uri, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        FromCall(() => ImageSource.Of(uri, options), options, cancellationToken);

    /// <inheritdoc cref="Open(Stream, Qcow2OpenOptions?)"/>
    /// <param name="stream">Readable and seekable. The chain then owns it, even if this fails, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the opening; what was opened is closed.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Task<Qcow2Chain> OpenAsync(
        Stream stream, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        FromCall(() => ImageSource.Of(stream, options), options, cancellationToken);

    /// <inheritdoc cref="Open(HostFile, Qcow2OpenOptions?)"/>
    /// <param name="file">The top image, which the chain then owns, even if this fails, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the opening; what was opened is closed.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Task<Qcow2Chain> OpenAsync(
        HostFile file, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        FromCall(() => ImageSource.Of(file, options), options, cancellationToken);

    /// <summary>Opens an image, which must be in one of QEMU's formats, and its backing chain, as DiscUtils asks for it.</summary>
    /// <exception cref="Qcow2FormatException">It is not such an image, or it is damaged.</exception>
    internal static Qcow2Chain Open(FileLocator locator, string path)
    {
        HostFile top = LocatorFiles.OpenTop(locator, path, out FollowPolicy policy);
        return Open(top, new Qcow2OpenOptions { Follow = policy }).NotRaw();
    }

    /// <summary>What is wrong with the file comes out of the task, like every other error.</summary>
    private static async Task<Qcow2Chain> FromCall(
        Func<HostFile> open, Qcow2OpenOptions? options, CancellationToken cancellationToken) =>
        await OpenAsync(open(), options, async: true, cancellationToken).ConfigureAwait(false);

    private static async ValueTask<Qcow2Chain> OpenAsync(
        HostFile file, Qcow2OpenOptions? options, bool async, CancellationToken cancellationToken)
    {
        options ??= Qcow2OpenOptions.Default;
        return new Qcow2Chain(
            await ChainOpener.OpenAsync(file, options, options.Follow ?? FileGate.DefaultFor(file), async, cancellationToken).ConfigureAwait(false));
    }
}
