#!/usr/bin/env python3
"""Records what real BIND 9.18 tools print for the scripts of recorded/ (as root).

    record.py [--runs N] NAME.sh...     writes NAME.out; N agreeing runs (default 2)
    record.py run NAME.sh               raw, to stdout

A script runs after the prelude that its first line names (`# prelude: plain`), by `sh` in its own
network, mount and process namespaces (see ../parity/parity.py), with /etc/resolv.conf and
/etc/hosts of its own. Only what a clock or dice decide is replaced, rule by rule as in
tests/dns_tools.rs:

  D1  `id: N` of a header                       D4  `;; WHEN: DATE`
  D2  a cookie's bytes                          D5  `DD-Mon-YYYY HH:MM:SS.mmm ` at the start of a
  D3  `;; Query time: N msec`,                      line of named's log
      `Received N bytes … in N ms`
"""
import os, re, sys, subprocess, tempfile
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'parity'))
import parity

parity.INIT = parity.INIT.replace('cd "$1"', r'''
for f in resolv.conf hosts nsswitch.conf; do : > "$1/../$f"; mount --bind "$1/../$f" /etc/$f; done
echo 'hosts: files dns' > /etc/nsswitch.conf
printf '127.0.0.1\tlocalhost\n' > /etc/hosts
cd "$1"''', 1)

RULES = [
    (re.compile(r', id: \d+$', re.M), ', id: ID'),                                   # D1
    (re.compile(r'(; COOKIE: )([0-9a-f]+)'), lambda m: m.group(1) + 'C' * len(m.group(2))),  # D2
    (re.compile(r'(;; Query time: )\d+ msec'), r'\1T msec'),                         # D3
    (re.compile(r'^(;; Received \d+ bytes from .* in )\d+ ms', re.M), r'\1T ms'),    # D3
    (re.compile(r'^(Received \d+ bytes from .* in )\d+ ms', re.M), r'\1T ms'),       # D3
    (re.compile(r'^;; WHEN: .*', re.M), ';; WHEN: DATE'),                            # D4
    (re.compile(r'^\d\d-[A-Z][a-z][a-z]-\d{4} \d\d:\d\d:\d\d\.\d{3} ', re.M), ''),   # D5
]

def normalise(text):
    for rule, by in RULES:
        text = rule.sub(by, text)
    return text

def run(script):
    text = open(script).read()
    first = text.split('\n', 1)[0]
    prelude = ''
    if first.startswith('# prelude: '):
        prelude = open(os.path.join(here, 'recorded', first[11:].strip() + '.prelude')).read()
    with tempfile.TemporaryDirectory() as top:
        path = os.path.join(top, os.path.basename(script))
        open(path, 'w').write(prelude + text)
        return parity.run_real(path, limit=180)

def main(args):
    if args[:1] == ['run']:
        sys.stdout.write(normalise(run(args[1])))
        return
    runs = 2
    if args[:1] == ['--runs']:
        runs, args = int(args[1]), args[2:]
    for script in args:
        texts = [normalise(run(script)) for _ in range(runs)]
        if len(set(texts)) != 1:
            print('DIFFERENT RUNS', script)
            for i, t in enumerate(texts):
                open('/tmp/run%d' % i, 'w').write(t)
            continue
        open(script[:-3] + '.out', 'w').write(texts[0])
        print('ok', script, texts[0].count('\n'), 'lines')

main(sys.argv[1:])
