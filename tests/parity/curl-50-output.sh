# curl: -s -S -o -w -I -i -H -X -d, -v lines, several URLs.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n h addr add 10.0.0.1/24 dev eth0
ip -n h link set eth0 up
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r link set eth0 up
sleep 2.5
ip netns exec r http-echo -listen :80 -text hi -show-peer &
ip netns exec r http-echo -listen :8080 -text other &
sleep 0.5
ip netns exec h curl -s http://10.0.0.2/
ip netns exec h curl -s http://10.0.0.2:8080/a/b?c=d
ip netns exec h curl -s 10.0.0.2 10.0.0.2:8080
ip netns exec h curl -s -o out.txt -w '%{http_code}\n' http://10.0.0.2/
cat out.txt
ip netns exec h curl -s -o /dev/null -w '%{http_code} %{size_download} %{remote_ip} %{remote_port} %{local_ip} %{num_connects} %{content_type} %{url_effective} %{exitcode}\n' http://10.0.0.2/x
ip netns exec h curl -s -i http://10.0.0.2/ | tr -d '\r'
ip netns exec h curl -s -X POST -d a=b http://10.0.0.2/
ip netns exec h curl -s -H 'Host: example' --interface eth0 http://10.0.0.2/
ip -n h addr add 10.0.0.7/24 dev eth0
ip netns exec h curl -s --interface 10.0.0.7 http://10.0.0.2/
ip netns exec h curl -s -v -H 'X-A: b' http://10.0.0.2/p 2>&1 | tr -d '\r' | grep '^[<>]'
ip netns exec h curl -s -v http://10.0.0.2/ 2>&1 | grep '^\*' | sed 's/port 80 (#0)/port 80/'
ip netns exec h curl -s --resolve name.test:80:10.0.0.2 http://name.test/
ip netns exec h curl -s -m 1 http://localhost/
echo "rc=$?"
