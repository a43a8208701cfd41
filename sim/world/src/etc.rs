//! The files that every host has in /etc.

/// Path and text.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("/etc/services", netfilter::names::SERVICES),
    ("/etc/protocols", PROTOCOLS),
    ("/etc/iproute2/rt_tables", "255\tlocal\n254\tmain\n253\tdefault\n0\tunspec\n"),
    (
        "/etc/iproute2/rt_protos",
        "0\tunspec\n1\tredirect\n2\tkernel\n3\tboot\n4\tstatic\n8\tgated\n9\tra\n10\tmrt\n11\tzebra\n12\tbird\n\
         13\tdnrouted\n14\txorp\n15\tntk\n16\tdhcp\n17\tmrouted\n18\tkeepalived\n42\tbabel\n186\tbgp\n187\tisis\n\
         188\tospf\n189\trip\n192\teigrp\n",
    ),
    ("/etc/iproute2/rt_scopes", "0\tglobal\n255\tnowhere\n254\thost\n253\tlink\n200\tsite\n"),
    ("/etc/iproute2/group", "0\tdefault\n"),
    ("/etc/resolv.conf", ""),
    (
        "/etc/os-release",
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
         VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
    ),
    ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
];

const PROTOCOLS: &str = "\
ip\t0\tIP\nicmp\t1\tICMP\nigmp\t2\tIGMP\nipencap\t4\tIP-ENCAP\ntcp\t6\tTCP\nudp\t17\tUDP\nipv6\t41\tIPv6\n\
gre\t47\tGRE\nesp\t50\tIPSEC-ESP\nah\t51\tIPSEC-AH\nipv6-icmp\t58\tIPv6-ICMP\nospf\t89\tOSPFIGP\nipip\t94\tIPIP\n\
vrrp\t112\tVRRP\nsctp\t132\tSCTP\n";
