using System.Diagnostics.Contracts;
using System.Runtime.CompilerServices;

namespace VerifyTests;

// Nothing runs before the task is asked for: until then the fluent calls may still change the settings.
public sealed class SettingsTask
{
    private readonly VerifySettings _settings;
    private readonly Func<VerifySettings, Task> _start;
    private Task? _task;

    public SettingsTask(VerifySettings? settings, Func<VerifySettings, Task> buildTask)
    {
        _settings = new VerifySettings(settings);
        _start = buildTask;
    }

    public VerifySettings CurrentSettings => _task is null
        ? _settings
        : throw new InvalidOperationException("This SettingsTask has already been started and can no longer be changed.");

    [Pure]
    public SettingsTask UseParameters(params object?[] parameters)
    {
        CurrentSettings.UseParameters(parameters);
        return this;
    }

    [Pure]
    public SettingsTask UseParameters<T>(T[] parameters)
    {
        CurrentSettings.UseParameters(parameters);
        return this;
    }

    [Pure]
    public SettingsTask UseParameters<T>(T parameter)
    {
        CurrentSettings.UseParameters(parameter);
        return this;
    }

    [Pure]
    public Task ToTask() => _task ??= _start(_settings);

    [Pure]
    public ConfiguredTaskAwaitable ConfigureAwait(bool continueOnCapturedContext) =>
        ToTask().ConfigureAwait(continueOnCapturedContext);

    [Pure]
    public TaskAwaiter GetAwaiter() => ToTask().GetAwaiter();

    [Pure]
    public static implicit operator Task(SettingsTask settingsTask)
    {
        ArgumentNullException.ThrowIfNull(settingsTask);
        return settingsTask.ToTask();
    }
}
