//! The files that every host has in /etc.

/// Path and text.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("/etc/services", SERVICES),
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

/// The services that scenarios meet; the ports are IANA's.
const SERVICES: &str = "\
tcpmux\t1/tcp\necho\t7/tcp\necho\t7/udp\ndiscard\t9/tcp\ndiscard\t9/udp\ndaytime\t13/tcp\nftp-data\t20/tcp\nftp\t21/tcp\n\
ssh\t22/tcp\ntelnet\t23/tcp\nsmtp\t25/tcp\ntime\t37/tcp\nwhois\t43/tcp\ndomain\t53/tcp\ndomain\t53/udp\n\
bootps\t67/udp\nbootpc\t68/udp\ntftp\t69/udp\nfinger\t79/tcp\nhttp\t80/tcp\nkerberos\t88/tcp\npop3\t110/tcp\n\
sunrpc\t111/tcp\nntp\t123/udp\nimap2\t143/tcp\nsnmp\t161/tcp\nsnmp\t161/udp\nbgp\t179/tcp\nldap\t389/tcp\n\
https\t443/tcp\nhttps\t443/udp\nsubmission\t587/tcp\nldaps\t636/tcp\ndomain-s\t853/tcp\nimaps\t993/tcp\npop3s\t995/tcp\n\
socks\t1080/tcp\nmysql\t3306/tcp\npostgresql\t5432/tcp\nx11\t6000/tcp\nbfd-control\t3784/udp\nsip\t5060/udp\n\
mdns\t5353/udp\nhttp-alt\t8080/tcp\nhttp-alt\t8080/udp\namqp\t5672/tcp\nredis\t6379/tcp\nzabbix-agent\t10050/tcp\n";

const PROTOCOLS: &str = "\
ip\t0\tIP\nicmp\t1\tICMP\nigmp\t2\tIGMP\nipencap\t4\tIP-ENCAP\ntcp\t6\tTCP\nudp\t17\tUDP\nipv6\t41\tIPv6\n\
gre\t47\tGRE\nesp\t50\tIPSEC-ESP\nah\t51\tIPSEC-AH\nipv6-icmp\t58\tIPv6-ICMP\nospf\t89\tOSPFIGP\nipip\t94\tIPIP\n\
vrrp\t112\tVRRP\nsctp\t132\tSCTP\n";
