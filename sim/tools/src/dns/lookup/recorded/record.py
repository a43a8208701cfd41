#!/usr/bin/env python3
"""Records what a real C library asks: record.py CLIENT CASES [WORD...] > OUT, as root.

CLIENT is gai.c, compiled for that library. CASES is a recording: lines of `>` and `=` are made anew.
A case begins with `== title`; then come
  conf LINE, hosts LINE, nsswitch LINE   what /etc/resolv.conf, /etc/hosts, /etc/nsswitch.conf hold
  env NAME=VALUE                         the client's environment
  server .N down|no-tcp                  10.97.0.N doesn't listen (.11, .12 and .13 do)
  serve .N|* NAME|* TYPE|*: WHAT; WHAT   its answers, in turn; the last one stays; nxdomain without a rule
  ask ARGUMENTS                          of the client
WHAT is silent, or [late SECONDS] ok|nodata|lame|nxdomain|servfail|refused|notimp|formerr|tc|wrong-id|
wrong-question and records (`A 10.0.0.1`). Needs CPython 3.8 and iproute2."""
import ctypes, heapq, os, selectors, socket, struct, subprocess, sys, time

TYPES = {1: "A", 28: "AAAA", 12: "PTR", 5: "CNAME"}
RCODES = {"ok": 0, "formerr": 1, "servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5}
NET = "10.97.0"

def sh(cmd, check=True):
    return subprocess.run(cmd, shell=True, check=check, capture_output=True, text=True)

def setup():
    sh("ip netns del rsv-c; ip netns del rsv-s", check=False)
    sh("ip netns add rsv-c && ip netns add rsv-s && ip link add rsv0 netns rsv-c type veth peer name rsv1 netns rsv-s")
    for ns, dev, last in (("rsv-c", "rsv0", [2]), ("rsv-s", "rsv1", [11, 12, 13])):
        sh(f"ip -n {ns} link set lo up; ip -n {ns} link set {dev} up")
        for n in last:
            sh(f"ip -n {ns} addr add {NET}.{n}/24 dev {dev}")
    sh(f"ip -n rsv-c route add default via {NET}.11")
    sh("ip netns exec rsv-s sysctl -w net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000")

def name_bytes(name):
    return b"".join(bytes([len(l)]) + l.encode() for l in name.split(".") if l) + b"\0"

def read_name(data, at):
    labels = []
    while data[at]:
        n = data[at]; labels.append(data[at + 1:at + 1 + n].decode()); at += n + 1
    return ".".join(labels) or ".", at + 1

def rdata(kind, text):
    if kind == 1: return socket.inet_aton(text)
    if kind == 28: return socket.inet_pton(socket.AF_INET6, text)
    return name_bytes(text)

def answer(query, words, tcp):
    """The response's bytes for behaviour `words`, or None."""
    ident, flags = struct.unpack(">HH", query[:4])
    name, end = read_name(query, 12)
    kind, = struct.unpack(">H", query[end:end + 2])
    question = query[12:end + 4]
    rcode, out, tc, ra = 0, [], False, True
    i = 0
    if words[0] in RCODES: rcode = RCODES[words[0]]; i = 1
    elif words[0] == "nodata": i = 1
    elif words[0] == "lame": i = 1; ra = False
    elif words[0] == "silent": return None
    elif words[0] == "tc":
        i = 1; tc = not tcp
    elif words[0] == "wrong-id": i = 1; ident ^= 1
    elif words[0] == "wrong-question": i = 1; question = name_bytes("other.test") + question[-4:]
    owner = b"\xc0\x0c"
    records = words[i:]
    while records:
        k, v = records[0], records[1]; records = records[2:]
        n = {v: k for k, v in TYPES.items()}[k]
        data = rdata(n, v)
        out.append(owner + struct.pack(">HHIH", n, 1, 60, len(data)) + data)
        if k == "CNAME": owner = name_bytes(v)
    if tc: out = []
    flags = 0x8000 | (flags & 0x0100) | (0x0080 if ra else 0) | (0x0200 if tc else 0) | rcode
    head = struct.pack(">HHHHHH", ident, flags, 1, len(out), 0, 0)
    return head + question + b"".join(out)

class Responder:
    def __init__(self, case, start):
        self.rules, self.down, self.notcp = [], set(), set()
        for line in case["lines"]:
            w = line.split()
            if w[0] == "server":
                (self.down if w[2] == "down" else self.notcp).add(w[1])
            if w[0] == "serve":
                head, _, tail = line.partition(":")
                self.rules.append((head.split()[1:], [b.split() for b in tail.split(";")]))
        self.start, self.log, self.counts, self.ports = start, [], {}, {}
        self.sel = selectors.DefaultSelector(); self.later = []; self.seq = 0
        for n in ("11", "12", "13"):
            if "." + n in self.down: continue
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind((f"{NET}.{n}", 53))
            self.sel.register(u, selectors.EVENT_READ, ("udp", n))
            if "." + n in self.notcp: continue
            t = socket.socket(socket.AF_INET, socket.SOCK_STREAM); t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            t.bind((f"{NET}.{n}", 53)); t.listen(8)
            self.sel.register(t, selectors.EVENT_READ, ("listen", n))
        self.bufs = {}

    def behaviour(self, n, name, kind):
        for (server, rname, rkind), behaviours in self.rules:
            if server not in ("*", "." + n) or rkind not in ("*", kind): continue
            if rname != "*" and rname.lower() != name.lower(): continue
            key = (n, name.lower(), kind); c = self.counts.get(key, 0); self.counts[key] = c + 1
            return behaviours[min(c, len(behaviours) - 1)]
        return ["nxdomain"]

    def query(self, proto, n, data, port, reply):
        name, end = read_name(data, 12)
        kind = TYPES.get(struct.unpack(">H", data[end:end + 2])[0], "?")
        flags, = struct.unpack(">H", data[2:4]); ar, = struct.unpack(">H", data[10:12])
        edns = ""
        if ar:
            edns = " edns=%d" % struct.unpack(">H", data[end + 7:end + 9])[0]
        if flags & 0x20: edns += " ad"
        sock = self.ports.setdefault((proto, port), f"{proto}{sum(1 for p in self.ports if p[0] == proto) + 1}")
        self.log.append((time.monotonic() - self.start, f".{n} {sock} {kind} {name}{edns}"))
        words = list(self.behaviour(n, name, kind))
        delay = 0
        if words[0] == "late": delay = float(words[1]); words = words[2:]
        out = answer(data, words, proto == "tcp")
        if out is None: return
        if delay:
            self.seq += 1; heapq.heappush(self.later, (time.monotonic() + delay, self.seq, reply, out))
        else: reply(out)

    def run(self, child):
        while child.poll() is None:
            timeout = 0.02
            now = time.monotonic()
            while self.later and self.later[0][0] <= now:
                _, _, reply, out = heapq.heappop(self.later)
                try: reply(out)
                except OSError: pass
            if self.later: timeout = min(timeout, max(0, self.later[0][0] - now))
            for key, _ in self.sel.select(timeout):
                what, n = key.data
                if what == "udp":
                    data, peer = key.fileobj.recvfrom(4096)
                    self.query("udp", n, data, peer[1], lambda out, s=key.fileobj, p=peer: s.sendto(out, p))
                elif what == "listen":
                    c, peer = key.fileobj.accept()
                    self.bufs[c] = b""; self.sel.register(c, selectors.EVENT_READ, ("conn", n))
                else:
                    c = key.fileobj
                    try: data = c.recv(4096)
                    except OSError: data = b""
                    if not data: self.sel.unregister(c); c.close(); continue
                    self.bufs[c] += data
                    while len(self.bufs[c]) > 2:
                        length, = struct.unpack(">H", self.bufs[c][:2])
                        if len(self.bufs[c]) < 2 + length: break
                        msg = self.bufs[c][2:2 + length]; self.bufs[c] = self.bufs[c][2 + length:]
                        self.query("tcp", n, msg, c.getpeername()[1], lambda out, s=c: s.sendall(struct.pack(">H", len(out)) + out))
        for key in list(self.sel.get_map().values()): key.fileobj.close()

def run(case, client):
    files = {"resolv.conf": "", "hosts": "", "nsswitch.conf": "hosts: files dns\n"}
    ask, env = None, {}
    for line in case["lines"]:
        word, _, rest = line.partition(" ")
        if word == "conf": files["resolv.conf"] += rest + "\n"
        elif word == "hosts": files["hosts"] += rest + "\n"
        elif word == "nsswitch": files["nsswitch.conf"] = rest + "\n"
        elif word == "env": env.update([rest.split("=", 1)])
        elif word == "ask": ask = rest
    d = "/etc/netns/rsv-c"; os.makedirs(d, exist_ok=True)
    for f, text in files.items():
        with open(f"{d}/{f}", "w") as out: out.write(text)
    enter("/run/netns/rsv-s")
    sh("ip neigh flush all", check=False)
    child_env = dict(os.environ, **env)
    responder = Responder(case, 0)
    child = subprocess.Popen(["ip", "netns", "exec", "rsv-c", "sh", "-c", 'read x; exec "$@"', "sh", client] + ask.split(),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=child_env)
    time.sleep(0.15)
    responder.start = time.monotonic()
    child.stdin.write("go\n"); child.stdin.close()
    responder.run(child)
    out = child.stdout.read()
    return responder.log, out

def enter(namespace):
    fd = os.open(namespace, os.O_RDONLY)
    if ctypes.CDLL("libc.so.6", use_errno=True).setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)

def round1(t): return f"{t:.1f}"

def main():
    client, path = os.path.abspath(sys.argv[1]), sys.argv[2]
    wanted = sys.argv[3:]
    cases, cur = [], None
    for line in open(path):
        line = line.rstrip("\n")
        if line.startswith("== "): cur = {"title": line, "lines": []}; cases.append(cur)
        elif cur and line and line[0] not in "#>=": cur["lines"].append(line)
    setup()
    for case in cases:
        if wanted and not any(w in case["title"] for w in wanted): continue
        log, out = run(case, client)
        print(case["title"])
        for line in case["lines"]: print(line)
        for t, text in log: print(f"> {round1(t)} {text}")
        for line in out.splitlines():
            t, _, rest = line.partition(" ")
            print(f"= {round1(float(t))} {rest}")
        print(flush=True)
    sh("ip netns del rsv-c; ip netns del rsv-s; rm -rf /etc/netns/rsv-c", check=False)

main()
