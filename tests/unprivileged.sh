#!/usr/bin/env bash
# Runs the tests of every project tests/*.Tests once more on a copy that nobody may write to and, where root calls it, as a
# user without any rights: what reads images needs none, and changes no byte of them. Making packages does, and is left out.
# Arguments go to `dotnet vstest`.
set -euo pipefail
cd "$(dirname "$0")/.."

tree=$(mktemp -d)
home=$(mktemp -d)
trap 'chmod -R u+w "$tree"; rm -rf "$tree" "$home"' EXIT
git ls-files -z | xargs -0 cp --parents --target-directory="$tree"
dotnet build "$tree/Qcow2Stream.sln" -v quiet --nologo

hashes() { find "$tree/tests" -type f \( -name '*.qcow2' -o -name '*.raw' -o -name '*.gz' \) -not -path '*/bin/*' -print0 | sort -z | xargs -0 sha256sum; }
hashes > "$home/before"
chmod -R a-w,a+rX "$tree"

user=()
if [ "$(id -u)" -eq 0 ]; then
    chown 65534:65534 "$home"
    user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

assemblies=()
for project in "$tree"/tests/*.Tests; do
    name=$(basename "$project")
    assemblies+=("$project/bin/Debug/net10.0/$name.dll")
done

status=0
(cd "$home" && "${user[@]}" env HOME="$home" TMPDIR="$home" DOTNET_CLI_HOME="$home" \
    dotnet vstest "${assemblies[@]}" --TestCaseFilter:'FullyQualifiedName!~.Packaging.' "$@") || status=$?

hashes | diff "$home/before" - || { echo "images were written to"; status=1; }
exit "$status"
