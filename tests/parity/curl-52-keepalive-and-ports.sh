# curl: several requests on one connection, --local-port, -w fields, -v of a second request, HEAD, a body to a file, a proxy no.
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
ip netns exec r http-echo -listen :80 -text hello &
ip netns exec h tcpdump -l -n -t -i eth0 --immediate-mode 'tcp[13] == 2' 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec h curl -s -w '%{num_connects} ' http://10.0.0.2/a http://10.0.0.2/b http://10.0.0.2/c
echo
sleep 0.2
wc -l <cap.txt
ip netns exec h curl -s --local-port 2000 http://10.0.0.2/
sleep 0.2
tail -n 1 cap.txt | cut -d , -f 1
ip netns exec h curl -s --local-port 2000 http://10.0.0.2/
echo "rc=$?"
ip netns exec h curl -s -H 'Connection: close' http://10.0.0.2/ -o body.txt -D head.txt
cat body.txt
tr -d '\r' <head.txt
ip netns exec h curl -s -w '\n%{http_version} %{scheme} %{method} %{size_upload} %{response_code}\n' -d 12345 http://10.0.0.2/
ip netns exec h curl -s -v http://10.0.0.2/ http://10.0.0.2/ 2>&1 | grep '^\*' | grep -v bundle | sed 's/(#[0-9]*)//'
ip netns exec h curl -s -o /dev/null -w '%{local_port}\n' --local-port 3000-3001 http://10.0.0.2/
ip netns exec h curl -s -A agent -e ref -b c=d -v http://10.0.0.2/ 2>&1 | tr -d '\r' | grep '^>'
ip netns exec h curl -s -u user:pw -v http://10.0.0.2/ 2>&1 | tr -d '\r' | grep '^> A'
