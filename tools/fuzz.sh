#!/usr/bin/env bash
# Runs every fuzz target of the module for a bounded time each.
# A crasher is written below the package's testdata/fuzz; commit it with the fix.
set -euo pipefail
cd "$(dirname "$0")/.."
each=${1:-20s}
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
	grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | cut -d' ' -f2 | while read -r target; do
		echo "== $dir $target"
		go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$each" </dev/null
	done
done
