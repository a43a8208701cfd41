# A node with a bridge and a thousand pods, each with an address and a default route, as a CNI plugin
# leaves them.
ip link add cni0 type bridge
ip addr add 10.244.0.1/16 dev cni0
ip link set cni0 up
pod=0
while [ $pod -lt 1000 ]; do
  ip netns add pod$pod
  ip link add veth$pod type veth peer name eth0 netns pod$pod
  ip link set veth$pod master cni0 up
  ip -n pod$pod link set lo up
  ip -n pod$pod addr add 10.244.$((1 + pod / 250)).$((1 + pod % 250))/16 dev eth0
  ip -n pod$pod link set eth0 up
  ip -n pod$pod route add default via 10.244.0.1
  pod=$((pod + 1))
done
ip netns exec pod999 ping -c 1 -W 1 10.244.1.1
