#!/usr/bin/env python3
"""Records flows of a case on the real kernel under another setting: flows.VARIANT.json.

    record.py CASE VARIANT...      as root, on Linux with iproute2, iptables, conntrack

Lab, flows and rules are those of the case's flows.json and of its recorded payloads; a variant only
changes some commands of the set-up. Namespaces get names of their own and are removed at the end.
"""

import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import time

PREFIX = f"fl{os.getpid()}-"
PATIENCE = 1.0
GRACE = 0.02
GIVEN_UP = 5


def add(*commands):
    return lambda setup: setup + list(commands)


def leave_out(words):
    return lambda setup: [line for line in setup if words not in line]


def replace(old, new):
    return lambda setup: [line.replace(old, new) for line in setup]


NO_BRIDGE_NF = replace("bridge-nf-call-iptables=1", "bridge-nf-call-iptables=0")
NO_HAIRPIN = leave_out("hairpin on")

VARIANTS = {
    "forwarddrop": [add("n0: iptables -P FORWARD DROP")],
    "inputdrop": [add("n0: iptables -P INPUT DROP")],
    "nobridgenf": [NO_BRIDGE_NF],
    "nohairpin": [NO_HAIRPIN],
    "neither": [NO_BRIDGE_NF, NO_HAIRPIN],
}


def run(place, command, check=True, **more):
    words = ["ip", "netns", "exec", PREFIX + place] + (command if isinstance(command, list) else ["sh", "-c", command])
    return subprocess.run(words, check=check, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def serve(addresses):
    """Answers with its own address and whom it sees, as TCP and UDP servers."""
    listeners = {}
    for proto, address in zip(addresses[::2], addresses[1::2]):
        host, port = address.rsplit(":", 1)
        kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
        sock = socket.socket(socket.AF_INET, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, int(port)))
        if proto == "tcp":
            sock.listen(128)
        listeners[sock] = (proto, address)
    print("ready", flush=True)
    open_connections = set()
    while True:
        for sock in select.select(list(listeners) + list(open_connections), [], [])[0]:
            if sock in open_connections:
                try:
                    if sock.recv(100):
                        continue
                except OSError:
                    pass
                open_connections.discard(sock)
                sock.close()
            elif listeners[sock][0] == "udp":
                _, peer = sock.recvfrom(100)
                try:
                    sock.sendto(f"{listeners[sock][1]} {peer[0]}:{peer[1]}\n".encode(), peer)
                except OSError:
                    pass
            else:
                connection, peer = sock.accept()
                connection.sendall(f"{listeners[sock][1]} {peer[0]}:{peer[1]}\n".encode())
                open_connections.add(connection)


def attempt(proto, target):
    icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    icmp.setblocking(False)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    outcome = {}
    try:
        sock.connect(target)
        if proto == "udp":
            sock.send(b"?")
        text = sock.recv(200).decode()
        backend, peer = text.split()
        source, port = peer.rsplit(":", 1)
        outcome = {"result": "connected", "backend": backend, "source": source,
                   "port_kept": int(port) == sock.getsockname()[1]}
    except (TimeoutError, socket.timeout):
        outcome = {"result": "timeout"}
    except ConnectionRefusedError:
        outcome = {"result": "refused"}
    except PermissionError:
        outcome = {"result": "EPERM"}
    except OSError as error:
        outcome = {"result": "unreachable" if error.errno in (101, 113) else "timeout"}
    sock.close()
    if outcome["result"] != "connected":
        time.sleep(GRACE)
        try:
            while "icmp" not in outcome:
                data, sender = icmp.recvfrom(2000)
                inner = data[28:]
                if data[20] in (3, 11) and socket.inet_ntoa(inner[16:20]) == target[0]:
                    outcome["icmp"] = {"type": data[20], "code": data[21], "from": sender[0]}
        except BlockingIOError:
            pass
        if outcome["result"] == "refused" and "icmp" not in outcome:
            outcome["by"] = "rst"
    icmp.close()
    return outcome


def client(proto, address, port, tries):
    """Prints an outcome a line."""
    for done in range(int(tries)):
        outcome = attempt(proto, (address, int(port)))
        print(json.dumps(outcome), flush=True)
        if outcome["result"] == "timeout" and done + 1 == GIVEN_UP and all_timeouts:
            break
        all_timeouts = outcome["result"] == "timeout" and (done == 0 or all_timeouts)


def endpoints(case, recording):
    """Where servers listen: the ports of all backends of the case, on each backend's address."""
    found = {}
    for path in case.glob("flows*.json"):
        for flow in json.loads(path.read_text())["flows"]:
            for outcome in flow["outcomes"]:
                backend = outcome.get("backend", "")
                if backend and "[" not in backend:
                    found.setdefault(backend.rsplit(":", 1)[0], set()).add((flow["proto"].lower(), backend))
    return found


def record(case, variant):
    recording = json.loads((case / "flows.json").read_text())
    setup = [line for line in recording["lab"]["setup"]
             if not any(word.count(":") > 1 for word in line.split()[1:]) and "ipv6" not in line]
    for change in VARIANTS[variant]:
        setup = change(setup)
    places = {}
    names = []
    for line in setup:
        place, command = line.split(": ", 1)
        words = command.split()
        for name in [place] + ([words[words.index("netns") + 1]] if "netns" in words else []):
            if name not in names:
                names.append(name)
        if words[:3] == ["ip", "addr", "add"]:
            places[words[3].split("/")[0]] = place
    servers = []
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", PREFIX + name], check=True)
            run(name, "ip link set lo up; sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0"
                      " net.ipv4.icmp_ratelimit=0; sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
        for line in setup:
            place, command = line.split(": ", 1)
            words = command.split()
            if "netns" in words:
                words[words.index("netns") + 1] = PREFIX + words[words.index("netns") + 1]
            run(place, words)
        for ip, ports in endpoints(case, recording).items():
            if ip in places:
                words = [word for pair in sorted(ports) for word in pair]
                server = subprocess.Popen(["ip", "netns", "exec", PREFIX + places[ip], sys.executable, __file__,
                                           "serve"] + words, stdout=subprocess.PIPE, text=True)
                servers.append(server)
                assert server.stdout.readline() == "ready\n"
        node = places[recording["lab"]["node"]["ips"][0]]
        flows = []
        synced = 0
        for flow in recording["flows"]:
            if ":" in flow["to"] or flow["proto"] == "ICMP":
                continue
            while synced < flow.get("step", 1):
                synced += 1
                sync(case, node, synced)
            ip = flow["from"]["ip"]
            place = node if ip.startswith("127.") else places[ip]
            tries = max(flow["tries"], 16) if flow["outcomes"][0]["result"] != "EPERM" else 3
            ran = run(place, [sys.executable, __file__, "client", flow["proto"].lower(), flow["to"],
                              str(flow["port"]), str(tries)])
            lines = ran.stdout.splitlines()
            counted = {}
            for line in lines:
                counted[line] = counted.get(line, 0) + 1
            outcomes = [dict(json.loads(line), count=count) for line, count in counted.items()]
            flows.append({**flow, "tries": len(lines), "outcomes": outcomes})
        recording["lab"]["setup"] = setup
        recording["flows"] = flows
        rows = ",\n  ".join(json.dumps(flow) for flow in flows)
        lab = json.dumps(recording["lab"], indent=1)
        (case / f"flows.{variant}.json").write_text(f'{{"lab": {lab},\n "flows": [\n  {rows}\n]}}\n')
    finally:
        for server in servers:
            server.kill()
        for name in names:
            subprocess.run(["ip", "netns", "del", PREFIX + name])


def sync(case, node, step):
    folder = case if step == 1 else case / f"step{step}"
    if step == 1:
        for setting in (case / "sysctl.txt").read_text().splitlines() if (case / "sysctl.txt").exists() else []:
            run(node, f"sysctl -qw {setting}")
        for call in (case / "ensure.txt").read_text().splitlines():
            run(node, f"iptables {call.replace(' -I ', ' -C ', 1)} 2>/dev/null || iptables {call}", check=" -I " in call)
    payload = (folder / "rules.filter").read_text() + (folder / "rules.nat").read_text()
    run(node, ["iptables-restore", "--noflush", "--counters"], input=payload)


if sys.argv[1] == "serve":
    serve(sys.argv[2:])
elif sys.argv[1] == "client":
    client(*sys.argv[2:])
else:
    os.chdir(pathlib.Path(__file__).parent)
    for name in sys.argv[2:]:
        record(pathlib.Path(sys.argv[1]), name)
