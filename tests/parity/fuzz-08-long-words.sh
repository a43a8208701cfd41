# Long words: a comment is cut to 255 bytes; iptables-restore takes words of less than 1024.
for n in 255 256 1023 1024; do
  x=$(printf '%0'$n'd' 0)
  iptables-restore <<EOF
*filter
-A INPUT -m comment --comment $x
COMMIT
EOF
  echo "rc=$?"
  iptables-save -t filter | wc -c
  iptables -A FORWARD -m comment --comment "a $x"
  echo "rc=$?"
  iptables-save -t filter | wc -c
done
