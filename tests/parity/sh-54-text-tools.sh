# grep, sed, cut, tr, sort, uniq, head, tail, wc, seq, awk-free text tools on a small file.
cat >t <<EOF
3 pear 10
1 apple 20
2 Fig 5
10 apple 7
EOF
grep apple t
grep -c apple t
grep -v apple t
grep -n Fig t
grep -i FIG t
grep -o 'a[a-z]*' t
grep -E '^(1|2) ' t
grep -w 1 t
grep -q pear t; echo $?
grep nosuch t; echo $?
grep -A 1 Fig t
grep -m 1 apple t
grep -F '.' t; echo $?
grep x nosuchfile; echo $?
sort t
sort -n t
sort -rn t | head -n 1
sort -k 2,2 -k 1,1n t
sort -u -k 2,2 t | wc -l
sort -t ' ' -k 3 -n t | tail -n 2
cut -d ' ' -f 2 t
cut -d ' ' -f 1,3 t
cut -c 1-3 t
tr a-z A-Z <t | head -n 1
tr -d '0-9' <t | head -n 1
echo 'a   b' | tr -s ' '
tail -n +3 t
tail -n 1 t
head -c 5 t; echo
wc t | tr -s ' '
wc -l <t
wc -l t
sed -n 2p t
sed -n '2,3p' t
sed 's/apple/APPLE/' t
sed 's/\([0-9]*\) \([a-z]*\).*/\2-\1/' t
sed '/Fig/d' t
sed -e 's/ /_/g' -e '1d' t
sed -n '/pear/,/Fig/p' t
uniq -c t | wc -l
printf 'a\na\nb\n' | uniq -c | tr -s ' '
seq 3
seq 2 2 6 | tr '\n' ' '; echo
paste -s -d , t
basename /a/b.sh .sh; dirname /a/b
