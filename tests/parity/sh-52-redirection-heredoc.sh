# Redirections and here-documents: expansion or not, <<-, >>, 2>&1, /dev/null, order, reading back.
x=val
cat <<EOF
x is $x and $(echo cmd) and \$x $((1+2))
EOF
cat <<'EOF'
x is $x and $(echo cmd) \$x
EOF
cat <<-EOF
	tab removed $x
EOF
echo one >f
echo two >>f
cat f
cat <f | wc -l
ls nosuch 2>/dev/null; echo $?
ls nosuch 2>&1 | wc -l
{ echo out; echo err >&2; } 2>err.txt
cat err.txt
{ echo out; echo err >&2; } >both.txt 2>&1
sort both.txt
cat nosuch; echo $?
cat f nosuch 2>/dev/null; echo $?
echo hidden >/dev/null
: >empty; wc -c <empty
cat <<EOF | tr a-z A-Z
piped text
EOF
while read l; do echo "got $l"; done <<EOF
l1
l2
EOF
tee copy <f | head -n 1
cat copy
rm f; cat f; echo $?
mkdir -p d/e; echo z >d/e/f; cat d/e/f; ls d; rmdir d 2>/dev/null; echo $?
cd d; cat e/f; cd ..; ls -1 | sort
cp copy copy2; mv copy2 copy3; ls copy*
ln -s copy link; cat link; readlink link
