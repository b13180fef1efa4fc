#!/usr/bin/env bash
# Runs one harness under afl-fuzz and says what came of it:
#     fuzz.sh HARNESS [SECONDS] [WORKDIR]
# WORKDIR (default: fuzz/ in the system's temporary directory) gets the instrumented program, the seeds and the findings. A run
# that is started again goes on where the last one stopped. Exits with 1 if there are crashes or hangs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
harness=${1:?"usage: fuzz.sh HARNESS [SECONDS] [WORKDIR]"}
seconds=${2:-60}
work=${3:-${TMPDIR:-/tmp}/qcow2-fuzz}
command -v afl-fuzz >/dev/null || { echo "afl-fuzz is missing: apt-get install afl++" >&2; exit 2; }

mkdir -p "$work"
work=$(cd "$work" && pwd)
program="$work/$harness/bin/Qcow2Stream.Fuzz.dll"
seeds="$work/$harness/seeds"
out="$work/$harness/out"

# Only the published copy of the library is instrumented, and runs under AFL alone; seeds are made by the other one.
# A lock, as several harnesses may start at once.
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
rm -rf "$work/$harness/bin"
flock "$work/publish.lock" dotnet publish "$here" -c Release -o "$work/$harness/bin" -p:InstrumentLibrary=true -v quiet
rm -rf "$seeds"
dotnet "$here/bin/Release/net10.0/Qcow2Stream.Fuzz.dll" seeds "$harness" "$seeds"
if [ -n "$(find "$here/Regressions/$harness" -type f 2>/dev/null)" ]; then
    cp -n "$here/Regressions/$harness"/* "$seeds/"
fi

# The header harness's file of its own; in memory where there is such a place.
scratch=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "$work")" qcow2-fuzz.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch

# AFL's own limit of memory does not suit .NET, which reserves address space; harnesses count what they allocate, and this
# stops what they don't. Two seconds (-t) are the bound on one input.
export DOTNET_GCHeapHardLimit=0x40000000
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
export AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_AUTORESUME=1 AFL_FORKSRV_INIT_TMOUT=60000
status=0
afl-fuzz -i "$seeds" -o "$out" -x "$here/qcow2.dict" -t 2000 -m none -V "$seconds" -- \
    dotnet "$program" fuzz "$harness" >"$work/$harness/afl.log" 2>&1 || status=$?

stats="$out/default/fuzzer_stats"
if [ "$status" -ne 0 ] || [ ! -f "$stats" ]; then
    tail -20 "$work/$harness/afl.log" >&2
    echo "$harness: afl-fuzz ended with $status; its log is $work/$harness/afl.log" >&2
    exit 2
fi

value() { awk -F' *: *' -v name="$1" '$1 == name { print $2 }' "$stats"; }
crashes=$(value saved_crashes)
hangs=$(value saved_hangs)
echo "$harness: $(value execs_done) executions in $(value run_time) s, $(value execs_per_sec)/s;" \
    "coverage $(value bitmap_cvg), $(value edges_found) edges, $(value corpus_count) inputs, stability $(value stability);" \
    "$crashes crashes, $hangs hangs"
if [ "$crashes" -ne 0 ] || [ "$hangs" -ne 0 ]; then
    find "$out/default/crashes" "$out/default/hangs" -type f -name 'id*' | sort
    echo "to see one: dotnet run --project $here -- $harness FILE"
    exit 1
fi
