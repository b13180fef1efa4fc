using System.Reflection;
using System.Runtime.Loader;

namespace Qcow2Stream.Tests.Disks;

/// <summary>The library and DiscUtils loaded a second time, so that nothing is registered yet.</summary>
internal sealed class OwnContext : AssemblyLoadContext
{
    public OwnContext()
        : base(isCollectible: true)
    {
    }

    public Assembly Library => LoadFromAssemblyName(new AssemblyName("Qcow2Stream"));

    public object? Call(string assembly, string type, string method, params object[] arguments) =>
        LoadFromAssemblyName(new AssemblyName(assembly)).GetType(type, throwOnError: true)!
            .GetMethod(method, [.. arguments.Select(a => a is Assembly ? typeof(Assembly) : a.GetType())])!
            .Invoke(null, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null);

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string path = Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll");
        bool isOurs = assemblyName.Name is "Qcow2Stream" || assemblyName.Name!.StartsWith("DiscUtils.", StringComparison.Ordinal);
        return isOurs ? LoadFromAssemblyPath(path) : null;
    }
}
