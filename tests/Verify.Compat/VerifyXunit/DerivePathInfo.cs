using System.Reflection;
using VerifyTests;

namespace VerifyXunit;

public delegate PathInfo DerivePathInfo(string sourceFile, string projectDirectory, Type type, MethodInfo method);
