# ipset restore: lines, comments, quotes, COMMIT, what was done before an error and what wasn't.
ipset restore <<EOF
# a comment

create a hash:ip
  add a 10.0.0.1
add a 10.0.0.2
create b hash:net comment
add b 10.0.0.0/8 comment "two words"
add b 10.1.0.0/16
COMMIT
-A a 10.0.0.3
create l list:set
add l a
EOF
ipset save -s
ipset save -s >all
ipset restore <all
ipset destroy
ipset restore <all
ipset save -s
ipset -! restore <all
ipset flush
ipset restore <<EOF
add a 10.0.0.1
add a 10.0.0.2
add a 10.0.0.1
add a 10.0.0.4
EOF
ipset save a -s
ipset restore <<EOF
add a 10.0.0.5
add a 10.0.0.x
EOF
ipset save a -s
ipset restore <<EOF
add a 10.0.0.6
add b 10.2.0.0/16
add nosuch 10.0.0.1
EOF
ipset save -s
ipset restore <<EOF
del a 10.0.0.6
del a 10.0.0.7
EOF
ipset save a -s
ipset restore <<EOF
create c hash:ip
create c hash:ip
EOF
ipset restore <<EOF
foo
EOF
ipset restore <<EOF
add a 10.0.0.8 comment "open
EOF
ipset restore <<EOF
restore
EOF
ipset restore <<EOF
version
EOF
ipset restore <<EOF
test a 10.0.0.1
test a 10.0.0.2
EOF
ipset restore <<EOF
list c
swap a c
rename c d
flush nosuch
EOF
ipset restore <<EOF
-exist add d 10.0.0.1
add d 10.0.0.1
quit
add d 10.0.0.77
EOF
ipset list -n
ipset save d -s
ipset save d -s -f file
ipset flush d
ipset restore -f file
ipset restore -f nosuch
echo rc=$?
ipset -f file2 list d -s
cat file2
ipset restore extra
ipset restore <<EOF
add d 10.0.0.90 comment
EOF
ipset restore <<EOF
add d 10.0.0.90 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33
EOF
ipset restore <<EOF
create ig hash:ip probes 3
create never hash:ip
EOF
ipset list -n
