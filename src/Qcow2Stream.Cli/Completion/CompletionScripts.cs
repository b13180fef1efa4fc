namespace Qcow2Stream.Cli.Completion;

/// <summary>
/// What makes shells ask <c>qcow2 [suggest:N] LINE</c>, which the command line's parser answers: commands, options and their
/// values. All else is the name of a file.
/// </summary>
internal static class CompletionScripts
{
    public static IReadOnlyDictionary<string, string> ByShell { get; } = new Dictionary<string, string>
    {
        ["bash"] = """
            _qcow2() {
                local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} found
                COMPREPLY=()
                if [[ $COMP_CWORD -gt 1 && $word != -* && $previous != -* ]]; then
                    return
                fi
                while IFS= read -r found; do
                    if [[ -n $found && $found == "$word"* ]]; then
                        COMPREPLY+=("$found")
                    fi
                done < <("$1" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
            }
            complete -o default -F _qcow2 qcow2

            """,
        ["zsh"] = """
            #compdef qcow2
            _qcow2() {
                local line="${(j: :)words[1,CURRENT]}"
                local -a found
                if (( CURRENT == 2 )) || [[ $words[CURRENT] == -* || $words[CURRENT-1] == -* ]]; then
                    found=(${(f)"$(command $words[1] "[suggest:$#line]" "$line" 2>/dev/null)"})
                fi
                if (( $#found )); then
                    compadd -a found
                else
                    _files
                fi
            }
            compdef _qcow2 qcow2

            """,
        ["fish"] = """
            function __qcow2_suggest
                set -l line (commandline -cp)
                set -l words (commandline -opc)
                $words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
            end
            function __qcow2_knows
                set -l words (commandline -opc)
                test (count $words) -eq 1
                or string match -q -- '-*' (commandline -ct)
                or string match -q -- '-*' $words[-1]
            end
            complete -c qcow2 -n __qcow2_knows -f -a '(__qcow2_suggest)'

            """,
    };
}
