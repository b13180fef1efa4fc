using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using static Qcow2Stream.Cli.Nbd.Protocol;

namespace Qcow2Stream.Cli.Nbd;

/// <summary>The first phase of a connection, fixed newstyle: the client asks what there is, and chooses.</summary>
internal sealed class Handshake(ClientSocket socket, Export export)
{
    // Room for a name and for more queries than anyone makes.
    private const int MaxOptionData = 64 << 10;

    // A client needs half a dozen.
    private const int MaxOptions = 1000;

    private const int OptionReplyHeaderSize = sizeof(ulong) + (3 * sizeof(uint));
    private const int ZeroesBehindExport = 124;

    private ClientFlags _client;
    private bool _structuredReplies;
    private IReadOnlyList<MetaContext> _contexts = [];

    private enum Next
    {
        Option,
        Transmission,
        End,
    }

    /// <summary>Leads it to its end.</summary>
    /// <returns>What was agreed on; null if the client wants no more.</returns>
    /// <exception cref="ClientLeftException">The client has left, or what it sends is no NBD.</exception>
    public Session? Run()
    {
        Greet();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxOptionData);
        try
        {
            Next next = Next.Option;
            for (int i = 0; next == Next.Option && i < MaxOptions; i++)
            {
                OptionHeader header = ReceiveHeader();
                Span<byte> data = buffer.AsSpan(0, (int)header.Length);
                socket.Receive(data);
                next = Answer(header.Option, new OptionData(data));
            }

            return next == Next.Transmission ? new Session(_structuredReplies, _contexts) : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Greet()
    {
        using OutputBuffer greeting = new((2 * sizeof(ulong)) + sizeof(ushort));
        greeting.UInt64(NbdMagic).UInt64(IHaveOpt).UInt16((ushort)(HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes));
        socket.Send(greeting.Written);

        Span<byte> flags = stackalloc byte[sizeof(ClientFlags)];
        socket.Receive(flags);
        _client = (ClientFlags)BinaryPrimitives.ReadUInt32BigEndian(flags);
        if ((_client & ~(ClientFlags.FixedNewstyle | ClientFlags.NoZeroes)) != 0)
        {
            throw new ClientLeftException();
        }
    }

    private OptionHeader ReceiveHeader()
    {
        Span<byte> bytes = stackalloc byte[OptionHeader.Size];
        socket.Receive(bytes);
        return OptionHeader.TryParse(bytes, out OptionHeader header)
            && header.Length <= MaxOptionData
            && (header.Option == Option.ExportName || _client.HasFlag(ClientFlags.FixedNewstyle))
                ? header
                : throw new ClientLeftException();
    }

    private Next Answer(Option option, OptionData data)
    {
        switch (option)
        {
            case Option.ExportName:
                return Export(data);
            case Option.Abort:
                Reply(option, OptionReply.Ack);
                return Next.End;
            case Option.List when data.IsAtEnd:
                List();
                return Next.Option;
            case Option.StructuredReply when data.IsAtEnd:
                _structuredReplies = true;
                Reply(option, OptionReply.Ack);
                return Next.Option;
            case Option.List or Option.StructuredReply:
                Reply(option, OptionReply.ErrInvalid, "the option has no data"u8);
                return Next.Option;
            case Option.Info or Option.Go:
                return Describe(option, InfoRequest.Parse(data)) && option == Option.Go ? Next.Transmission : Next.Option;
            case Option.ListMetaContext:
                ListContexts(ContextRequest.Parse(data));
                return Next.Option;
            case Option.SetMetaContext:
                SetContexts(ContextRequest.Parse(data));
                return Next.Option;
            default:
                Reply(option, OptionReply.ErrUnsup, "the server does not know this option"u8);
                return Next.Option;
        }
    }

    /// <summary>The option of old: its data is the name, without a length, and its answer has no place for an error.</summary>
    private Next Export(OptionData name)
    {
        if (!name.IsAtEnd)
        {
            return Next.End;
        }

        using OutputBuffer reply = new(sizeof(ulong) + sizeof(ushort) + ZeroesBehindExport);
        reply.UInt64((ulong)export.Length).UInt16((ushort)Nbd.Export.Flags);
        socket.Send(reply.Zeroes(_client.HasFlag(ClientFlags.NoZeroes) ? 0 : ZeroesBehindExport).Written);
        return Next.Transmission;
    }

    private void List()
    {
        byte[] description = Encoding.UTF8.GetBytes(export.Description);
        using OutputBuffer name = new(sizeof(uint) + description.Length);
        Reply(Option.List, OptionReply.Server, name.UInt32((uint)Nbd.Export.Name.Length).Bytes(description).Written);
        Reply(Option.List, OptionReply.Ack);
    }

    /// <returns>Whether there is such an export, and the client knows of it.</returns>
    private bool Describe(Option option, InfoRequest? request)
    {
        if (!IsForThisExport(option, request?.Name))
        {
            return false;
        }

        using OutputBuffer info = new(sizeof(ushort) + MaxString);
        Reply(option, OptionReply.Info, info.UInt16((ushort)InfoType.Export)
            .UInt64((ulong)export.Length).UInt16((ushort)Nbd.Export.Flags).Written);
        info.Length = 0;
        Reply(option, OptionReply.Info, info.UInt16((ushort)InfoType.BlockSize)
            .UInt32(1).UInt32(export.PreferredBlock).UInt32(MaxPayload).Written);
        foreach (InfoType wanted in request!.Wanted.Where(i => i is InfoType.Name or InfoType.Description))
        {
            string text = wanted == InfoType.Name ? Nbd.Export.Name : export.Description;
            info.Length = 0;
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

    private void SetContexts(ContextRequest? request)
    {
        // What was chosen before does not count any more, whatever comes of this.
        _contexts = [];
        if (!_structuredReplies)
        {
            Reply(Option.SetMetaContext, OptionReply.ErrInvalid, "contexts need structured replies"u8);
        }
        else if (IsForThisExport(Option.SetMetaContext, request?.Name))
        {
            _contexts = [.. MetaContext.All.Where(c => request!.Queries.Contains(c.Name))];
            Tell(Option.SetMetaContext, _contexts);
        }
    }

    private void Tell(Option option, IEnumerable<MetaContext> contexts)
    {
        foreach (MetaContext context in contexts)
        {
            using OutputBuffer reply = new(sizeof(uint) + MaxString);
            Reply(option, OptionReply.MetaContext, reply.UInt32(context.Id).Bytes(Encoding.UTF8.GetBytes(context.Name)).Written);
        }

        Reply(option, OptionReply.Ack);
    }

    /// <summary>If not, the client has been told so.</summary>
    /// <param name="option">What is being answered.</param>
    /// <param name="name">The name of the export that the client means; null if its data could not be parsed.</param>
    private bool IsForThisExport(Option option, string? name)
    {
        if (name is null)
        {
            Reply(option, OptionReply.ErrInvalid, "the option's data is cut off, or too long"u8);
        }
        else if (name != Nbd.Export.Name)
        {
            Reply(option, OptionReply.ErrUnknown, "the only export is the one with the empty name"u8);
        }

        return name == Nbd.Export.Name;
    }

    private void Reply(Option option, OptionReply type, ReadOnlySpan<byte> data = default)
    {
        using OutputBuffer reply = new(OptionReplyHeaderSize + data.Length);
        reply.UInt64(OptionReplyMagic).UInt32((uint)option).UInt32((uint)type).UInt32((uint)data.Length).Bytes(data);
        socket.Send(reply.Written);
    }
}
