using Qcow2Stream.Nbd.Protocol;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>Serves the requests of one client. Several may be under way at once, each on its own thread.</summary>
/// <param name="socket">The client's.</param>
/// <param name="export">What is served.</param>
/// <param name="session">What was agreed on.</param>
/// <param name="activity">Is told when a thread waits for the client to take another's answer.</param>
/// <param name="onError">Receives each read failure.</param>
internal sealed class Answers(ClientSocket socket, Export export, Session session, Activity activity, Action<NbdError>? onError)
{
    // Bounds the memory of a request. Large enough for the clusters of a piece to keep several cores busy.
    private const int MaxPiece = (int)RequestRules.MaxWhole;

    // Of one context in one reply: 64 KiB. Clients ask for the rest.
    private const int MaxExtents = 8192;

    private readonly Lock _sending = new();

    public void Give(in Request request)
    {
        (ErrorCode error, string reason) = RequestRules.Judge(request, session, export.Length);
        if (error != ErrorCode.None)
        {
            Fail(request, error, reason);
        }
        else if (request.Command == Command.BlockStatus)
        {
            TellStatus(request);
        }
        else if (session.StructuredReplies)
        {
            ReadInChunks(request);
        }
        else
        {
            ReadSimply(request);
        }
    }

    private void Fail(in Request request, ErrorCode error, string reason)
    {
        using OutputBuffer output = new(Replies.MaxErrorSize);
        if (session.StructuredReplies)
        {
            output.Failure(request, error, reason, offset: null);
        }
        else
        {
            output.Simple(request, error);
        }

        Send(output);
    }

    /// <summary>The reply is one piece, and says at its start that nothing has failed.</summary>
    private void ReadSimply(in Request request)
    {
        long position = (long)request.Offset;
        long end = position + request.Length;
        int piece = (int)Math.Min(request.Length, MaxPiece);
        using OutputBuffer output = new(Replies.SimpleSize + piece);
        output.Simple(request, ErrorCode.None);
        try
        {
            export.Read(position, output.Append(piece));
        }
        catch (Exception e) when (ReadFault.Is(e))
        {
            Report(request, e);
            Fail(request, ErrorCode.Io, ReadFault.ForClients(e, (long)request.Offset));
            return;
        }

        using (EnterSending())
        {
            socket.Send(output.Written);
            for (position += piece; position < end; position += piece)
            {
                piece = (int)Math.Min(end - position, MaxPiece);
                output.Truncate(0);
                ReadOrLeave(request, position, output.Append(piece));
                socket.Send(output.Written);
            }
        }
    }

    /// <summary>Reads what has been promised.</summary>
    /// <exception cref="ClientLeftException">It can't be read; there is no way to say so but to end the connection.</exception>
    private void ReadOrLeave(in Request request, long position, Span<byte> target)
    {
        try
        {
            export.Read(position, target);
        }
        catch (Exception e) when (ReadFault.Is(e))
        {
            Report(request, e);
            throw new ClientLeftException();
        }
    }

    private void ReadInChunks(in Request request)
    {
        long position = (long)request.Offset;
        long end = position + request.Length;
        int piece = (int)Math.Min(request.Length, MaxPiece);
        using OutputBuffer output = new(Math.Max(Replies.DataHeaderSize + piece, Replies.MaxErrorSize));
        int whole = 0;
        try
        {
            foreach (StatusExtent run in Runs(request))
            {
                for (; position < run.End; position += piece)
                {
                    bool isHole = run.Status != (uint)AllocationState.None;
                    piece = (int)Math.Min(run.End - position, isHole ? ProtocolLimits.MaxPayload : MaxPiece);
                    MakeRoom(output, isHole ? Replies.HoleSize : Replies.DataHeaderSize + piece);
                    whole = output.Length;
                    ChunkFlags flags = position + piece == end ? ChunkFlags.Done : ChunkFlags.None;
                    if (isHole)
                    {
                        output.Hole(request, flags, position, piece);
                    }
                    else
                    {
                        output.DataHeader(request, flags, position, piece);
                        export.Read(position, output.Append(piece));
                    }

                    whole = output.Length;
                }
            }
        }
        catch (Exception e) when (ReadFault.Is(e))
        {
            Report(request, e);
            output.Truncate(whole);
            MakeRoom(output, Replies.MaxErrorSize);
            output.Failure(request, ErrorCode.Io, ReadFault.ForClients(e, position), PlaceFor(e, position, end));
        }

        Send(output);
    }

    /// <summary>The parts of a read that are holes, and those that are not; no holes if the client asks for one chunk.</summary>
    private IEnumerable<StatusExtent> Runs(in Request request) => request.Flags.HasFlag(CommandFlags.Df)
        ? [new StatusExtent((long)request.Offset, request.Length, (uint)AllocationState.None)]
        : export.Holes((long)request.Offset, request.Length);

    /// <summary>What comes before damage is reported; requests from there on get the error.</summary>
    private void TellStatus(in Request request)
    {
        int most = request.Flags.HasFlag(CommandFlags.ReqOne) ? 1 : MaxExtents;
        int size = Replies.StatusHeaderSize + (most * Replies.ExtentSize);
        using OutputBuffer output = new(Math.Max(session.Contexts.Count * size, Replies.MaxErrorSize));
        List<StatusExtent> extents = [];
        foreach (MetaContext context in session.Contexts)
        {
            extents.Clear();
            try
            {
                extents.AddRange(export.Describe(context, (long)request.Offset, request.Length).Take(most));
            }
            catch (Exception e) when (ReadFault.Is(e) && extents.Count == 0)
            {
                Report(request, e);
                Fail(request, ErrorCode.Io, ReadFault.ForClients(e, (long)request.Offset));
                return;
            }
            catch (Exception e) when (ReadFault.Is(e))
            {
                // Reported when the client gets there.
            }

            ChunkFlags flags = context == session.Contexts[^1] ? ChunkFlags.Done : ChunkFlags.None;
            output.Status(request, flags, context.Id, extents);
        }

        Send(output);
    }

    /// <summary>The place that an error names, if the client has asked for it and has not got it yet; otherwise where it happened.</summary>
    private static long PlaceFor(Exception fault, long position, long end) =>
        ReadFault.PlaceOf(fault) is { } place && place > position && place < end ? place : position;

    private void Report(in Request request, Exception fault) => onError?.Invoke(new NbdError
    {
        Exception = fault,
        GuestOffset = (long)request.Offset,
        Length = request.Length,
        Client = socket.Client,
    });

    private void MakeRoom(OutputBuffer output, int count)
    {
        if (output.Free < count)
        {
            Send(output);
            output.Truncate(0);
        }
    }

    private void Send(OutputBuffer output)
    {
        using (EnterSending())
        {
            socket.Send(output.Written);
        }
    }

    private Lock.Scope EnterSending()
    {
        activity.EndWork();
        try
        {
            return _sending.EnterScope();
        }
        finally
        {
            activity.BeginWork();
        }
    }
}
