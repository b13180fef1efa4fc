namespace Qcow2Stream.Cli.Completion;

/// <summary>
/// What makes shells ask <c>qcow2 [suggest] LINE</c>, LINE up to the cursor, which answers with commands, options and their
/// values (<see cref="Suggestions"/>). Where it has no answer the shell completes the names of files.
/// </summary>
internal static class CompletionScripts
{
    public static IReadOnlyDictionary<string, string> ByShell { get; } = new Dictionary<string, string>
    {
        // For bash a word ends at '=' as well: $2 is what it replaces, and all of the word before that stays as it is.
        ["bash"] = """
            _qcow2() {
                local line=${COMP_LINE:0:COMP_POINT} found
                local word=${line##*[[:space:]]}
                local kept=${word%"$2"}
                COMPREPLY=()
                while IFS= read -r found; do
                    COMPREPLY+=("${found#"$kept"}")
                done < <("$1" "[suggest]" "$line" 2>/dev/null)
            }
            complete -o default -F _qcow2 qcow2

            """,
        ["zsh"] = """
            #compdef qcow2
            _qcow2() {
                local -a found
                found=(${(f)"$(command $words[1] "[suggest]" "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)"})
                if (( $#found )); then
                    compadd -a found
                else
                    [[ $PREFIX != -*=* ]] || compset -P '*='
                    _files
                fi
            }
            compdef _qcow2 qcow2

            """,
        // The condition is asked before the candidates are taken.
        ["fish"] = """
            function __qcow2_suggests
                set -l words (commandline -opc)
                set -g __qcow2_found ($words[1] "[suggest]" (commandline -cp | string collect) 2>/dev/null)
                test (count $__qcow2_found) -gt 0
            end
            complete -c qcow2 -n __qcow2_suggests -f -a '$__qcow2_found'

            """,
    };
}
