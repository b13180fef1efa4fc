using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Qcow2Stream.Cli.Limits;
using Qcow2Stream.Nbd;

namespace Qcow2Stream.Cli.Commands;

/// <summary>serve: the guest's disk over NBD.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        ChainOptions chainOptions = new();
        Option<string> socket = new("--socket")
        {
            Description = "Creates a Unix socket there, for this user alone; nothing may exist there yet.",
            HelpName = "PATH",
        };
        Option<int?> port = CommonOptions.Number("--port", "Listens on this TCP port, on any that is free if it is 0.", IPEndPoint.MinPort, IPEndPoint.MaxPort);
        Option<IPAddress> bind = new("--bind")
        {
            Description = "This machine's address to listen on with --port. Anyone who can reach it can read the disk: there are neither passwords nor encryption. [default: 127.0.0.1]",
            HelpName = "ADDRESS",
            CustomParser = ParseAddress,
        };
        Option<int?> maxConnections = CommonOptions.Number("--max-connections", "How many connections at once. For one more, the one that has been idle for longest is closed, if that is 10 seconds; otherwise the new one. A client may use several. [default: 16]", 1, 1000);
        Command command = new("serve", "Serves the guest's disk to NBD clients, read-only, until it is interrupted.")
        {
            image, socket, port, bind, maxConnections,
        };
        chainOptions.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(socket) is null == result.GetResult(port) is null)
            {
                result.AddError("serve needs --socket PATH or --port N, and not both");
            }
            else if (result.GetResult(bind) is not null && result.GetResult(port) is null)
            {
                result.AddError("--bind needs --port");
            }
        });
        command.SetHelpText("""
            Prints the address for clients, on one line, once they can connect: nbd+unix:///?socket=PATH or
            nbd://ADDRESS:PORT. Ends on Ctrl+C (SIGINT) or SIGTERM, once pending requests are answered.

            Clients: nbdcopy, nbdinfo, nbd-client, qemu-img and qemu-system with that address as the image.

            Example: qcow2 serve disk.qcow2 --socket /tmp/disk.sock
            """);
        command.SetAction(parsed =>
        {
            // Opened now: it may have to say that no more handles are left.
            RepeatedMessages messages = new(Console.Error);
            NbdServerOptions options = new() { OnError = error => messages.Write(OptionWords.Of(error.Exception)) };
            Qcow2OpenOptions opened = chainOptions.Parse(parsed) with { OnDamage = damage => messages.Write($"damaged: {damage.Reason}") };
            using NbdServer server = new(
                Qcow2Chain.Open(chainOptions.OpenFile(parsed.GetRequiredValue(image), parsed), opened),
                parsed.GetValue(maxConnections) is { } most ? options with { MaxConnections = most } : options);
            server.Unlock();
            using Interruption interruption = new();
            Console.Out.WriteLine(server.Listen(parsed.GetValue(socket) is { } path
                ? NbdEndpoint.UnixSocket(path)
                : NbdEndpoint.Tcp(parsed.GetValue(bind) ?? IPAddress.Loopback, parsed.GetValue(port)!.Value)));
            try
            {
                server.RunAsync(interruption.Token).GetAwaiter().GetResult();
            }
            finally
            {
                messages.Finish();
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static IPAddress? ParseAddress(ArgumentResult result)
    {
        if (!IPAddress.TryParse(result.Tokens[0].Value, out IPAddress? address))
        {
            result.AddError($"--bind needs an IP address of this machine, not '{result.Tokens[0].Value}'");
        }

        return address;
    }
}
