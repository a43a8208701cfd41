#!/bin/sh
# Prints instructions per packet-hop (chain) and per ping (lan), counted by valgrind: the figure
# doesn't depend on what else the machine does. The set-up cancels out, as two runs of different
# length are compared.
# Usage: benches/instructions.sh [PROGRAM]   (default: target/release/examples/goals, which it builds)
set -eu
program=${1:-target/release/examples/goals}
[ $# -gt 0 ] || cargo build --quiet --release --example goals
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# run NAME COUNT: answers units and instructions.
run() {
  units=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>"$out" | cut -d' ' -f2)
  echo "$units $(sed -n 's/.*Collected : //p' "$out")"
}

# compare NAME SHORT LONG UNIT
compare() {
  echo "$(run "$1" "$2") $(run "$1" "$3")" |
    awk -v name="$1" -v unit="$4" '{ printf "%s: %d instructions per %s\n", name, ($4 - $2) / ($3 - $1), unit }'
}

compare chain 200 1200 packet-hop
compare checksums 200 1200 packet-hop
compare traced 200 700 packet-hop
compare lan 1 3 ping
