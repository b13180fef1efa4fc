using System.CommandLine;
using System.Text;
using Qcow2Stream.Cli.Completion;

namespace Qcow2Stream.Cli.Commands;

/// <summary>completion: a script that makes a shell complete this tool's commands and options.</summary>
internal static class CompletionCommand
{
    public static Command Create()
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong([.. CompletionScripts.ByShell.Keys]);
        Command command = new("completion", "Prints a script that makes a shell complete commands and options.") { shell };
        command.SetHelpText("""
            bash: source <(qcow2 completion bash)      in ~/.bashrc
            zsh:  source <(qcow2 completion zsh)       in ~/.zshrc, after compinit
            fish: qcow2 completion fish | source       in ~/.config/fish/config.fish

            Example: source <(qcow2 completion bash)
            """);
        command.SetAction(parsed =>
        {
            using Stream target = StandardOutput.Open();
            target.Write(Encoding.UTF8.GetBytes(CompletionScripts.ByShell[parsed.GetRequiredValue(shell)]));
            return ExitCodes.Success;
        });
        return command;
    }
}
