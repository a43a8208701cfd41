# if, case, while, until, for, break, continue, functions, return, local, &&, ||, !, subshells, braces, exit status.
if true; then echo yes; else echo no; fi
if false; then echo 1; elif [ 1 -lt 2 ]; then echo 2; else echo 3; fi
i=0
while [ $i -lt 3 ]; do i=$((i+1)); [ $i -eq 2 ] && continue; echo w$i; done
until [ $i -eq 0 ]; do i=$((i-1)); done; echo $i
for x in a b c d; do [ $x = c ] && break; echo $x; done
for x in 1 2; do for y in 3 4; do echo $x$y; done; done
case abc in a*) echo star;; *) echo other;; esac
case x in a|b) echo ab;; x|y) echo xy;; esac
case 10.0.0.1 in 10.*) echo ten;; [0-9]*) echo num;; esac
f() { echo "f: $1 $#"; return 3; }
f one two; echo "rc=$?"
g() { local v=in; echo $v; }
v=out; g; echo $v
true && echo and || echo or
false && echo and || echo or
! false; echo $?
(exit 4); echo $?
(v=sub; echo $v); echo $v
{ echo brace; v=brace; }; echo $v
false | true; echo $?
true | false; echo $?
echo "a b" | while read p q; do echo "$q $p"; done
printf '1 one\n2 two\n' >t
while read n w; do echo "$w=$n"; done <t
[ -f t ]; echo $?
[ -d t ]; echo $?
[ -e nosuch ] || echo missing
[ "" ]; echo $?
[ -z "" ] && [ -n x ] && echo strings
[ a = a ] && [ a != b ] && [ 3 -ge 3 ] && [ 3 -ne 4 ] && echo cmp
[ 1 -eq 1 -a 2 -eq 2 ] && echo and
test 2 -gt 1; echo $?
h() { h2; echo after; }; h2() { return 1; }; h
