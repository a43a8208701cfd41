# Asking for one device gives an id to its peer's namespace only; a dump to all.
for n in a b c d; do ip netns add $n; done
for n in b c d; do ip -n a link add v$n address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02; done 2>/dev/null
for n in b c d; do ip -n a link del v$n 2>/dev/null; done
for n in b c d; do
  ip -n $n link add eth0 address 02:00:00:00:00:02 type veth peer name v$n address 02:00:00:00:00:01 netns a
done
ip -n a link show dev vd
ip -n a netns list-id 2>/dev/null | sort
ip -n a link show vc
ip -n a link
ip -n a -o addr show dev vb
ip -n d link show eth0
