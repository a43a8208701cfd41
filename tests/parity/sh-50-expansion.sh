# Parameter and command expansion, arithmetic, quoting, word splitting, globs.
x=hello; y="a b  c"; unset u; e=
echo "$x" '$x' \$x ${x}world "${#x}" ${#y}
echo ${u:-default} ${u-def2} "${e:-empty}" "[${e-set}]" ${x:+alt} "[${u:+alt}]"
echo ${u:=assigned} $u
f=/a/b/name.tar.gz
echo ${f%.*} ${f%%.*} ${f#*/} ${f##*/}
echo $y
echo "$y"
for w in $y; do echo "<$w>"; done
for w in "$y"; do echo "<$w>"; done
n=5
echo $((n + 3 * 2)) $(( (n+3)*2 )) $((n % 3)) $((n / 2)) $((n > 3)) $((n == 4)) $((n << 2)) $((-n))
i=0; i=$((i+1)); i=$((i+1)); echo $i
echo "now $(echo inner | tr a-z A-Z) `echo back`"
d=$(printf 'one\ntwo\n\n'); echo "$d"; echo $d
touch b.txt a.txt c.log
echo *.txt
echo *.none
ls -1 *.txt | wc -l
echo "a'b" 'c"d' "e\"f" "g\\h" 'i\j'
echo a\ b "tab	x"
set -- p q r
echo $# $1 "$2" $*
shift; echo "$@" $#
echo "$0" | grep -c sh
IFS=:; v=1:2:3; set -- $v; echo $2; unset IFS
echo ${x}${y##* }
printf '%s-%s\n' a b c d
printf '%d %5d|%-5s|%05d %x %%\n' 7 42 ab 42 255
echo -n no newline; echo
echo 'back\tslash'
