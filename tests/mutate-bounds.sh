#!/usr/bin/env bash
# Moves one bound after the other by one, in a copy of the tree, and runs the fast tests: every change must break one.
# The changes are in bound-mutations.txt: FILE|FROM|TO, of which FROM is the first such text in src/Qcow2Stream/FILE.
# Usage: tests/mutate-bounds.sh [LIST]. The exit code is the number of changes that no test is known to have noticed.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
list=$(realpath "${1:-$root/tests/bound-mutations.txt}")
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$root/." "$copy"
cd "$copy" || exit 99

# What compares with QEMU, or takes long, is not needed to see a bound.
classes=(
    .Format. LimitTests PassphraseTests SnapshotTests BitmapTests HeaderDamageTests TableDamageTests OddButValidTests Qcow1 TranslatorTests
    RefcountLayoutTests
)
filter=$(printf '|FullyQualifiedName~%s' "${classes[@]}")
filter=${filter:1}
dotnet build tests/Qcow2Stream.Tests -v q --nologo >/dev/null || exit 99
tests=$(find tests/Qcow2Stream.Tests/bin -name Qcow2Stream.Tests.dll | head -1)
survivors=0
while IFS='|' read -r file from to; do
    [[ -z $file || $file == \#* ]] && continue
    path=src/Qcow2Stream/$file
    cp "$path" "$copy/kept"
    FROM=$from TO=$to perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/' "$path"
    if cmp -s "$path" "$copy/kept"; then
        result="NOT FOUND"
        survivors=$((survivors + 1))
    elif ! dotnet build src/Qcow2Stream -v q --nologo --no-restore -p:RunAnalyzers=false -p:GenerateDocumentationFile=false \
        >"$copy/log" 2>&1 </dev/null; then
        result="does not build"
        survivors=$((survivors + 1))
    else
        cp src/Qcow2Stream/bin/Debug/net10.0/Qcow2Stream.dll "$(dirname "$tests")/"
        if timeout 600 dotnet vstest "$tests" --TestCaseFilter:"$filter" >"$copy/log" 2>&1 </dev/null; then
            result="SURVIVED"
            survivors=$((survivors + 1))
        else
            test=$(grep -oE '^ *Failed [A-Za-z0-9_.]+' "$copy/log" | head -1 | awk '{ print $2 }')
            result=${test:+killed by ${test#Qcow2Stream.Tests.}}
            [[ -n $test ]] || { result="NO RESULT"; survivors=$((survivors + 1)); }
        fi
    fi

    printf '%s: %s -> %s: %s\n' "$file" "$from" "$to" "$result"
    cp "$copy/kept" "$path"
done <"$list"
exit "$survivors"
