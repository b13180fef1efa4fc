using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Qcow2Stream.Nbd.Protocol;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>The first phase of a connection, fixed newstyle: the client asks what is offered, and chooses.</summary>
internal sealed class Handshake(ClientSocket socket, Export export)
{
    // Room for a name and for more queries than anyone makes.
    private const int MaxOptionData = 64 << 10;

    // A client needs half a dozen.
    private const int MaxOptions = 1000;

    private const int OptionReplyHeaderSize = sizeof(ulong) + (3 * sizeof(uint));
    private const int ZeroesAfterExport = 124;

    /// <summary>Leads it to its end.</summary>
    /// <returns>What was agreed on; null if the client has ended it.</returns>
    /// <exception cref="ClientLeftException">The client has left, or what it sends isn't NBD.</exception>
    public Session? Run()
    {
        ClientFlags client = Greet();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxOptionData);
        try
        {
            Session session = Session.Plain;
            for (int i = 0; i < MaxOptions; i++)
            {
                OptionHeader header = ReceiveHeader(client);
                Span<byte> bytes = buffer.AsSpan(0, (int)header.Length);
                socket.Receive(bytes);
                OptionData data = new(bytes);
                switch (header.Option)
                {
                    case Option.ExportName:
                        return SendExport(data, client) ? session : null;
                    case Option.Abort:
                        Reply(Option.Abort, OptionReply.Ack);
                        return null;
                    case Option.Go when Describe(Option.Go, InfoRequest.Parse(data)):
                        return session;
                    case Option.Go:
                        break;
                    default:
                        session = Answer(header.Option, data, session);
                        break;
                }
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <returns>What the client says of itself.</returns>
    private ClientFlags Greet()
    {
        using OutputBuffer greeting = new((2 * sizeof(ulong)) + sizeof(ushort));
        greeting.UInt64(Magic.Nbd).UInt64(Magic.IHaveOpt).UInt16((ushort)(HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes));
        socket.Send(greeting.Written);

        Span<byte> bytes = stackalloc byte[sizeof(ClientFlags)];
        socket.Receive(bytes);
        ClientFlags flags = (ClientFlags)BinaryPrimitives.ReadUInt32BigEndian(bytes);
        return (flags & ~(ClientFlags.FixedNewstyle | ClientFlags.NoZeroes)) == 0 ? flags : throw new ClientLeftException();
    }

    private OptionHeader ReceiveHeader(ClientFlags client)
    {
        Span<byte> bytes = stackalloc byte[OptionHeader.Size];
        socket.Receive(bytes);
        return OptionHeader.TryParse(bytes, out OptionHeader header)
            && header.Length <= MaxOptionData
            && (header.Option == Option.ExportName || client.HasFlag(ClientFlags.FixedNewstyle))
                ? header
                : throw new ClientLeftException();
    }

    /// <summary>Answers an option after which the handshake continues.</summary>
    /// <returns>What is agreed on by now.</returns>
    private Session Answer(Option option, OptionData data, Session session)
    {
        switch (option)
        {
            case Option.List when data.IsAtEnd:
                List();
                return session;
            case Option.StructuredReply when data.IsAtEnd:
                Reply(option, OptionReply.Ack);
                return session with { StructuredReplies = true };
            case Option.List or Option.StructuredReply:
                Reply(option, OptionReply.ErrInvalid, "the option has no data"u8);
                return session;
            case Option.Info:
                Describe(option, InfoRequest.Parse(data));
                return session;
            case Option.ListMetaContext:
                ListContexts(ContextRequest.Parse(data));
                return session;
            case Option.SetMetaContext:
                // What was chosen before does not count any more, whatever comes of this.
                return session with { Contexts = ChooseContexts(ContextRequest.Parse(data), session.StructuredReplies) };
            default:
                Reply(option, OptionReply.ErrUnsup, "the server does not know this option"u8);
                return session;
        }
    }

    /// <summary>The old option: its data is the name, without a length, and its answer can't hold an error.</summary>
    /// <returns>Whether there is such an export.</returns>
    private bool SendExport(OptionData name, ClientFlags client)
    {
        if (!name.IsAtEnd)
        {
            return false;
        }

        using OutputBuffer reply = new(sizeof(ulong) + sizeof(ushort) + ZeroesAfterExport);
        reply.UInt64((ulong)export.Length).UInt16((ushort)Export.Flags);
        socket.Send(reply.Zeroes(client.HasFlag(ClientFlags.NoZeroes) ? 0 : ZeroesAfterExport).Written);
        return true;
    }

    private void List()
    {
        byte[] description = Encoding.UTF8.GetBytes(export.Description);
        using OutputBuffer name = new(sizeof(uint) + description.Length);
        Reply(Option.List, OptionReply.Server, name.UInt32((uint)Export.Name.Length).Bytes(description).Written);
        Reply(Option.List, OptionReply.Ack);
    }

    /// <returns>Whether there is such an export, and the client knows of it.</returns>
    private bool Describe(Option option, InfoRequest? request)
    {
        if (!IsForThisExport(option, request?.Name))
        {
            return false;
        }

        using OutputBuffer info = new(sizeof(ushort) + ProtocolLimits.MaxString);
        Reply(option, OptionReply.Info, info.UInt16((ushort)InfoType.Export)
            .UInt64((ulong)export.Length).UInt16((ushort)Export.Flags).Written);
        info.Truncate(0);
        Reply(option, OptionReply.Info, info.UInt16((ushort)InfoType.BlockSize)
            .UInt32(1).UInt32(export.PreferredBlock).UInt32(ProtocolLimits.MaxPayload).Written);
        foreach (InfoType wanted in request!.Wanted.Where(i => i is InfoType.Name or InfoType.Description))
        {
            string text = wanted == InfoType.Name ? Export.Name : export.Description;
            info.Truncate(0);
            Reply(option, OptionReply.Info, info.UInt16((ushort)wanted).Bytes(Encoding.UTF8.GetBytes(text)).Written);
        }

        Reply(option, OptionReply.Ack);
        return true;
    }

    private void ListContexts(ContextRequest? request)
    {
        if (IsForThisExport(Option.ListMetaContext, request?.Name))
        {
            Tell(Option.ListMetaContext, MetaContext.All.Where(c => request!.Queries.Count == 0 || request.Queries.Any(c.IsListedBy)));
        }
    }

    private IReadOnlyList<MetaContext> ChooseContexts(ContextRequest? request, bool structuredReplies)
    {
        if (!structuredReplies)
        {
            Reply(Option.SetMetaContext, OptionReply.ErrInvalid, "contexts need structured replies"u8);
            return [];
        }

        if (!IsForThisExport(Option.SetMetaContext, request?.Name))
        {
            return [];
        }

        IReadOnlyList<MetaContext> chosen = [.. MetaContext.All.Where(c => request!.Queries.Contains(c.Name))];
        Tell(Option.SetMetaContext, chosen);
        return chosen;
    }

    private void Tell(Option option, IEnumerable<MetaContext> contexts)
    {
        foreach (MetaContext context in contexts)
        {
            using OutputBuffer reply = new(sizeof(uint) + ProtocolLimits.MaxString);
            Reply(option, OptionReply.MetaContext, reply.UInt32(context.Id).Bytes(Encoding.UTF8.GetBytes(context.Name)).Written);
        }

        Reply(option, OptionReply.Ack);
    }

    /// <summary>If not, the client has got an error.</summary>
    /// <param name="option">What is being answered.</param>
    /// <param name="name">The name of the export that the client means; null if its data could not be parsed.</param>
    private bool IsForThisExport(Option option, string? name)
    {
        if (name is null)
        {
            Reply(option, OptionReply.ErrInvalid, "the option's data is cut off, or too long"u8);
        }
        else if (name != Export.Name)
        {
            Reply(option, OptionReply.ErrUnknown, "the only export is the one with the empty name"u8);
        }

        return name == Export.Name;
    }

    private void Reply(Option option, OptionReply type, ReadOnlySpan<byte> data = default)
    {
        using OutputBuffer reply = new(OptionReplyHeaderSize + data.Length);
        reply.UInt64(Magic.OptionReply).UInt32((uint)option).UInt32((uint)type).UInt32((uint)data.Length).Bytes(data);
        socket.Send(reply.Written);
    }
}
