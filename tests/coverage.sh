#!/usr/bin/env bash
# Runs the tests with coverage and prints, for each room of src/Qcow2Stream, the lines and branches that they reach, and
# every branch of Format/, Images/ and Translation/ that none takes. Fails where one of those is not in coverage-exceptions.txt
# (FILE|MEMBER|REASON), where one there is taken now, and below 95 % of the lines.
# Usage: tests/coverage.sh [cobertura.xml]: of a run that was made already.
set -euo pipefail
cd "$(dirname "$0")"
report=${1:-}
if [[ -z $report ]]; then
    results=$(mktemp -d)
    trap 'rm -rf "$results"' EXIT

    # Of what is tried many thousand times, some hundred reach the same. A line's first hit is all that counts.
    QCOW2_DAMAGES=${QCOW2_DAMAGES:-1000} QCOW2_IMAGES=${QCOW2_IMAGES:-100} dotnet test Qcow2Stream.Tests --nologo \
        --collect:"XPlat Code Coverage" --results-directory "$results" -- \
        DataCollectionRunSettings.DataCollectors.DataCollector.Configuration.SingleHit=true
    report=$(find "$results" -name coverage.cobertura.xml)
fi

awk '
    function value(name) { return match($0, name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 3) : "" }
    FILENAME == ARGV[1] {
        if ($0 !~ /^#/ && split($0, parts, "|") >= 3) listed[parts[1] "|" parts[2]] = parts[3]
        next
    }
    /<source>/ { gsub(/.*<source>|<\/source>.*/, ""); source = $0 }
    /<class / { file = value("filename"); owner = value("name"); method = "" }
    /<method / { method = value("name") }
    /<\/method>/ { method = "" }
    /<line / && method != "" {
        path = source file
        if (!sub(/.*src\/Qcow2Stream\//, "", path)) next
        line = path ":" value("number")
        hits = value("hits") + 0
        seen[line] = 1
        if (hits > best[line]) best[line] = hits

        # What the compiler makes of an iterator or an asynchronous method is a class of its own, named after it.
        member = method
        if (match(owner, /\/&lt;[A-Za-z0-9_.]+&gt;d__/)) member = substr(owner, RSTART + 5, RLENGTH - 12)
        members[line] = member
        if (value("branch") == "True") {
            split(value("condition-coverage"), counts, /[(\/)]/)
            if (counts[2] + 0 > taken[line] + 0) taken[line] = counts[2] + 0
            branches[line] = counts[3] + 0
        }
    }
    END {
        for (line in seen) {
            split(line, at, ":")
            room = at[1] ~ /\// ? substr(at[1], 1, index(at[1], "/") - 1) : "(top)"
            lines[room]++; all++
            if (best[line] > 0) { covered[room]++; allCovered++ }
            roomBranches[room] += branches[line]; roomTaken[room] += taken[line]
        }
        printf "%-14s %7s %9s\n", "room", "lines", "branches"
        for (room in lines)
            printf "%-14s %6.1f%% %8.1f%%\n", room, 100 * covered[room] / lines[room], roomBranches[room] ? 100 * roomTaken[room] / roomBranches[room] : 100 | "sort"
        close("sort")
        printf "all lines: %.1f%%\n", 100 * allCovered / all
        if (allCovered < 0.95 * all) { print "below 95 %"; failed = 1 }
        for (line in branches) {
            if (taken[line] >= branches[line] || line !~ /^(Format|Images|Translation)\//) continue
            split(line, at, ":")
            key = at[1] "|" members[line]
            if (key in listed) { used[key] = 1; printf "known:   %s %s, %d of %d: %s\n", line, members[line], taken[line], branches[line], listed[key] }
            else { printf "MISSING: %s %s, %d of %d branches\n", line, members[line], taken[line], branches[line]; failed = 1 }
        }
        for (key in listed)
            if (!(key in used)) { print "listed, but taken: " key; failed = 1 }
        exit failed
    }' coverage-exceptions.txt "$report"
