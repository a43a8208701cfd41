# Exit statuses: not found, not executable, set -e, background jobs, wait, kill, exec, exit in a subshell.
nosuchcommand 2>/dev/null; echo $?
echo x >noexec; ./noexec 2>/dev/null; echo $?
./nosuch 2>/dev/null; echo $?
(set -e; false; echo not reached); echo $?
(set -e; false || true; if false; then :; fi; echo reached); echo $?
(set -u; echo ${undefined_variable} 2>/dev/null) 2>/dev/null; echo $?
sleep 0.2 & wait $!; echo $?
(exit 5) & wait $!; echo $?
sleep 5 & p=$!; kill $p; wait $p 2>/dev/null; echo $?
sleep 5 & p=$!; kill -9 $p; wait $p 2>/dev/null; echo $?
kill 99999 2>/dev/null; echo $?
kill -0 $$; echo $?
timeout 0.3 sleep 5; echo $?
timeout 5 true; echo $?
a=$(false); echo $?
a=$(exit 9) && echo no || echo $?
local_test() { return; }; false; local_test; echo $?
sh -c 'exit 3'; echo $?
sh -c 'echo $0 $1' n1 n2
x=1 sh -c 'echo x=$x'
export y=2; sh -c 'echo y=$y'
eval 'echo eval $y'
true; echo $?
command -v true >/dev/null; echo $?
type nosuchcommand >/dev/null 2>&1; echo $?
seq 3 | while read n; do [ $n = 2 ] && exit 7; done; echo $?
wait; echo $?
trap 'echo bye' EXIT
exit 6
