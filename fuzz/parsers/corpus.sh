#!/bin/sh
# Fills corpus/ with what the recorded scripts contain: scripts, rules, restore files, set commands.
set -eu
cd "$(dirname "$0")"
scripts=../../tests/parity
for target in rule restore ipset shell; do mkdir -p "corpus/$target"; done
cp "$scripts"/*.sh corpus/shell/
grep -hoE 'iptables( -t [a-z]+)? -[AI] [A-Z]+ .*' "$scripts"/*.sh | sed -E 's/.* -[AI] [A-Z]+ //' | sort -u |
  split -l 1 -a 4 - corpus/rule/line-
grep -hE '^-A |^:|^\*|^COMMIT' "$scripts"/*.out | split -l 40 -a 4 - corpus/restore/block-
grep -hE '^(create|add|del|flush|swap|destroy) ' "$scripts"/*.out "$scripts"/*.sh | split -l 20 -a 4 - corpus/ipset/block-
