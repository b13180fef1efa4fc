using System.Net.Sockets;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Remote;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>How qcow2 serve ends: what was asked for is answered, nobody holds it up, nothing is left behind.</summary>
public sealed class ServeEndTests : IDisposable
{
    // Nobody has read that part of the image before.
    private const ulong Far = 150 * ServedImage.ClusterSize;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _directory = new();
    private readonly string _socket;

    public ServeEndTests() => _socket = _directory.File("socket");

    public void Dispose() => _directory.Dispose();

    [UnixFact]
    public async Task IdleClientsAndHandshakes_DoNotHoldItUp()
    {
        await using ServeProcess server = await ServeProcess.Start(Repository.Image("chain-3.qcow2"), "--socket", _socket);
        using RawClient silent = Connect();
        using RawClient greeted = Connect();
        greeted.Greet();
        using RawClient idle = Connect();
        idle.Greet();
        idle.Negotiate();
        Assert.NotEmpty(idle.Call(RawClient.Read, 0, 512));
        server.Signal(Signals.Terminate);
        Assert.Equal((0, ""), await server.End());
        Assert.False(Path.Exists(_socket));
        Assert.True(idle.IsClosed && greeted.IsClosed);
    }

    [UnixFact]
    public async Task RequestUnderWay_IsAnswered()
    {
        _directory.Write("disk.qcow2", ServedImage.Bytes);
        using WebServer web = new(_directory.Path);
        await using ServeProcess server = await ServeProcess.Start(web.AddressOf("disk.qcow2").ToString(), "--socket", _socket);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        web.Before = async _ =>
        {
            asked.TrySetResult();
            await answer.Task;
            return false;
        };
        using RawClient client = Connect();
        client.Greet();
        client.Negotiate();
        client.Send(RawClient.Request(RawClient.Read, 1, Far, 4096));
        await asked.Task.WaitAsync(Patience);

        server.Signal(Signals.Terminate);
        Assert.True(SpinWait.SpinUntil(() => !Path.Exists(_socket), Patience));
        answer.SetResult();
        Assert.Equal(Enumerable.Repeat((byte)3, 4096), client.ReceiveChunk().Data);
        Assert.True(client.IsClosed);
        Assert.Equal((0, ""), await server.End());
    }

    /// <summary>Neither a client that takes nothing nor a server of the image that says nothing is waited for.</summary>
    [UnixFact]
    public async Task WhatDoesNotEnd_IsLeftAfterAWhile()
    {
        _directory.Write("disk.qcow2", ServedImage.Bytes);
        using WebServer web = new(_directory.Path);
        await using ServeProcess server = await ServeProcess.Start(web.AddressOf("disk.qcow2").ToString(), "--socket", _socket);
        using RawClient deaf = Connect();
        deaf.Greet();
        deaf.Negotiate();
        for (int i = 0; i < 100; i++)
        {
            // In one chunk each, so that even zeros are sent.
            deaf.Send(RawClient.Request(RawClient.Read, 1, 0, 1 << 20, flags: 4));
        }

        TaskCompletionSource never = new();
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        web.Before = async _ =>
        {
            asked.TrySetResult();
            await never.Task;
            return false;
        };
        using RawClient client = Connect();
        client.Greet();
        client.Negotiate();
        client.Send(RawClient.Request(RawClient.Read, 1, Far, 4096));
        await asked.Task.WaitAsync(Patience);

        server.Signal(Signals.Interrupt);
        Assert.Equal((0, ""), await server.End());
        Assert.False(Path.Exists(_socket));
        never.SetResult();
    }

    private RawClient Connect() => new(new UnixDomainSocketEndPoint(_socket));
}
