ip netns add n
r() { printf '*filter\n-A INPUT -j ACCEPT\nCOMMIT\n*nat\nCOMMIT\n' | ip netns exec n iptables-restore "$@"; echo "status $?"; }
r -w 5 --noflush
r -w 5 -W 100000 -n -c
r --wait=5 --wait-interval=7 -n
r --wait 5 -n
r -w -n
r -w5 -n
r -nc
r -ncx
r -nTfilter
r -Traw -n
r -n -T filtered
r -nw 7
ip netns exec n iptables-save -t filter | grep -v '^#'
