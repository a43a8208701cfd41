use std::collections::BTreeMap;

use kernel::Errno;

use super::{Corefile, Outside, Plugins, fingerprint};

/// Files and variables.
struct Fake(BTreeMap<&'static str, &'static str>);

impl Outside for Fake {
    fn read(&mut self, path: &str) -> Result<String, Errno> {
        self.0.get(path).map(|text| (*text).to_owned()).ok_or(Errno::NoEnt)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let inside = |path: &&str| Some(path.strip_prefix(folder)?.strip_prefix('/')?.to_owned());
        self.0.keys().filter_map(inside).filter(|name| !name.contains('/')).collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(format!("${name}").as_str()).map(|text| (*text).to_owned())
    }
}

fn outside() -> Fake {
    Fake(BTreeMap::from([
        ("$ZONE", "env.example"),
        ("$LOOP", "{$LOOP}"),
        ("/dev/null", ""),
        ("/etc/hosts", ""),
        ("/etc/resolv.conf", "search a b\nnameserver 10.10.255.252\nnameserver 10.10.255.253\n"),
        ("/etc/coredns/custom/a.override", "cache 7\n"),
        ("/etc/coredns/custom/b.override", "loop\n"),
        ("/etc/coredns/custom/wrong", "\nnonsense\n"),
    ]))
}

fn read(text: &str) -> Result<Corefile, String> {
    Corefile::read("Corefile", text, 53, &mut outside()).map_err(|error| error.to_string())
}

/// What a directive in a server block for the root says, or why it is refused.
#[track_caller]
fn check(directive: &str, expected: Result<&[&str], &str>, show: impl Fn(&Plugins) -> String) {
    let found = read(&format!(".:53 {{\n{directive}\n}}"));
    match (found, expected) {
        (Ok(corefile), Ok(expected)) => {
            let shown = show(&corefile.servers[0].plugins);
            assert!(expected.iter().all(|part| shown.contains(part)), "{directive}: {shown}");
        }
        (Err(error), Err(expected)) => assert!(error.contains(expected), "{directive}: {error}"),
        (found, _) => panic!("{directive}: {found:?}"),
    }
}

#[test]
fn kubeadms_corefile_has_the_digest_that_clusters_log() {
    let text = crate::cluster::COREFILE;
    let found = fingerprint("/etc/coredns/Corefile", text, &mut outside()).map(|found| found.sha512);
    let expected = "591cf328cccc12bc490481273e738df59329c62c0b729d94e8b61db9961c2fa5\
                    f046dd37f1cf888b953814040d180f52594972691cd6ff41be96639138a43908";
    assert_eq!(found.as_deref(), Ok(expected));
    assert!(read(text).is_ok());
}

#[test]
fn server_blocks_have_keys() {
    for (text, expected) in [
        (".:53 {\nloop\n}", Ok("dns://.:53")),
        ("Example.org, example.net:1053 {\n}", Ok("dns://example.org.:53 dns://example.net.:1053")),
        ("a,\nb {\n}", Ok("dns://a.:53 dns://b.:53")),
        ("a\nloop", Ok("dns://a.:53")),
        ("a", Ok("dns://a.:53")),
        (":1053 {\n}", Ok("dns://.:1053")),
        ("dns://a:54 {\n}\nb {\n}", Ok("dns://a.:54 | dns://b.:53")),
        ("{$ZONE} {\n}", Ok("dns://env.example.:53")),
        ("{%ZONE%}:{$NONE}54 {\n}", Ok("dns://env.example.:54")),
        ("10.0.0.0/15 a {\n}", Ok("dns://0.10.in-addr.arpa.:53 dns://a.:53 dns://1.10.in-addr.arpa.:53")),
        ("", Ok("")),
        ("# nothing\n", Ok("")),
        ("(s) {\nloop\n}\n. {\nimport s\n}", Ok("dns://.:53")),
        (". {\nimport custom/*.override\n}", Ok("dns://.:53")),
        (". {\nimport none/*.override\n}", Ok("dns://.:53")),
        (". {\nimport none\n}", Err("Corefile:2 - Error during parsing: File to import not found: none")),
        (
            ". {\nimport /etc/coredns/custom/wrong\n}",
            Err("/etc/coredns/custom/wrong:2 - Error during parsing: Unknown directive 'nonsense'"),
        ),
        ("(s) {\nimport s\n}\n. {\nimport s\n}", Err("maximum snippet import depth (10000) exceeded")),
        ("(s) {\n}\n(s) {\n}", Err("Corefile:3 - Error during parsing: redeclaration of previously")),
        ("a {\n}\na:53 {\n}", Err("cannot serve dns://a.:53 - it is already defined")),
        (". {\nxyz\n}", Err("Corefile:2 - Error during parsing: Unknown directive 'xyz'")),
        (". {\nerrors\n", Err("Corefile:2 - Syntax error: Unexpected token 'errors', expecting '}'")),
        (". {\nerrors {\n", Err("Corefile:2 - Error during parsing: Unexpected EOF")),
        ("a, {\n}", Err("Corefile:1 - Error during parsing: Expected another address but had '{'")),
        ("a,", Err("Corefile:1 - Error during parsing: Unexpected EOF")),
        (". {\nloop }\n}", Err("Unexpected '}' because no matching opening brace")),
        ("a..b {\n}", Err("error inspecting server blocks: zone is not a valid domain name: a..b")),
        (". {\ndnssec\n}", Err("Corefile:2 - hoplab: CoreDNS plugin \"dnssec\" is not simulated")),
        ("tls://. {\n}", Err("hoplab: CoreDNS transport tls (tls://.) is not simulated")),
    ] {
        let found = read(text).map(|corefile| {
            let keys = |server: &super::Server| {
                server.keys.iter().map(|key| key.to_string()).collect::<Vec<_>>().join(" ")
            };
            corefile.servers.iter().map(keys).collect::<Vec<_>>().join(" | ")
        });
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text:?}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{text:?}: {found}"),
            _ => panic!("{text:?}: {found:?}"),
        }
    }
}

#[test]
fn variables_that_hold_themselves_end() {
    assert!(read("{$LOOP} {\n}").is_ok());
}

#[test]
fn warnings_come_in_order() {
    let text = ". {\nimport x/*.y\nhosts /none\nforward 10.0.0.0/15 1.1.1.1\n}";
    let warnings = read(text).map(|corefile| corefile.warnings);
    let expected = [
        "[WARNING] No files matching import glob pattern: x/*.y",
        "[WARNING] plugin/hosts: File does not exist: /none",
        "[WARNING] plugin/forward: Unsupported CIDR notation: '10.0.0.0/15' expands to multiple zones. \
         Using only '0.10.in-addr.arpa.'.",
    ];
    assert_eq!(warnings, Ok(expected.map(str::to_owned).to_vec()));
}

#[test]
fn forward() {
    let wrong = "Wrong argument count or unexpected line ending after 'domain'";
    let cases: &[(&str, Result<&[&str], &str>)] = &[
        ("forward . 127.0.0.1", Ok(&["from: Name(\".\")", "to: [127.0.0.1:53]", "max_fails: 2", "Random"])),
        ("forward . 127.0.0.1:8080 [2003::1]:53 ::1", Ok(&["[127.0.0.1:8080, [2003::1]:53, [::1]:53]"])),
        (
            "forward . 127.0.0.1 {\nexcept miek.nl 10.0.0.0/15\n}",
            Ok(&["except: [Name(\"miek.nl.\"), Name(\"0.10"]),
        ),
        ("forward . 127.0.0.1 {\nmax_fails 3\n}", Ok(&["max_fails: 3"])),
        ("forward . 127.0.0.1 {\nforce_tcp\nprefer_udp\n}", Ok(&["protocol: ForceTcp"])),
        ("forward . 127.0.0.1 {\nprefer_udp\n}", Ok(&["protocol: PreferUdp"])),
        ("forward . 127.0.0.1 {\npolicy sequential\nexpire 2s\n}", Ok(&["Sequential", "expire: 2s"])),
        ("forward . 127.0.0.1 {\nmax_concurrent 1000\n}", Ok(&["max_concurrent: Some(1000)"])),
        (
            "forward . 127.0.0.1 {\nhealth_check 0.2s no_rec domain example.org\n}",
            Ok(&["200ms", "recursion: Off", "example.org."]),
        ),
        ("forward 10.9.3.0/18 127.0.0.1", Ok(&["from: Name(\"0.9.10.in-addr.arpa.\")"])),
        ("forward . ::1\nforward com ::2", Ok(&["[::1]:53", "from: Name(\"com.\")", "[::2]:53"])),
        ("forward . /etc/resolv.conf", Ok(&["[10.10.255.252:53, 10.10.255.253:53]"])),
        ("forward . /dev/null", Err("plugin/forward: no nameservers found")),
        ("forward . a27.0.0.1", Err("plugin/forward: not an IP address or file: \"a27.0.0.1\"")),
        (
            "forward . 127.0.0.1 {\nblaatl\n}",
            Err("plugin/forward: Corefile:3 - Error during parsing: unknown property 'blaatl'"),
        ),
        (
            "forward .",
            Err(
                "plugin/forward: Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after '.'",
            ),
        ),
        (
            "forward . https://127.0.0.1",
            Err("'https' is not supported as a destination protocol in forward: https://127.0.0.1"),
        ),
        (
            "forward . tls://1.1.1.1",
            Err("Corefile:2 - hoplab: CoreDNS forward to tls://1.1.1.1 is not simulated"),
        ),
        (
            "forward . 1.1.1.1 {\ntls_servername x\n}",
            Err("Corefile:3 - hoplab: CoreDNS forward option tls_servername is not"),
        ),
        (
            "forward xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 1.1.1.1",
            Err("unable to normalize 'xxxxxxxx"),
        ),
        (
            "forward . 127.0.0.1 {\nmax_concurrent many\n}",
            Err("strconv.Atoi: parsing \"many\": invalid syntax"),
        ),
        ("forward . 127.0.0.1 {\nmax_concurrent -4\n}", Err("max_concurrent can't be negative: -4")),
        ("forward . 127.0.0.1 {\nhealth_check no_rec\n}", Err("time: invalid duration \"no_rec\"")),
        ("forward . 127.0.0.1 {\nhealth_check 0.5s rec\n}", Err("health_check: unknown option rec")),
        ("forward . 127.0.0.1 {\nhealth_check 0.5s domain\n}", Err(wrong)),
        (
            "forward . 127.0.0.1 {\nhealth_check 0.5s domain example..org\n}",
            Err("health_check: invalid domain name example..org"),
        ),
        ("forward . 127.0.0.1 {\npolicy best\n}", Err("unknown policy 'best'")),
        (
            "forward . 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1",
            Err("more than 15 TOs configured: 16"),
        ),
    ];
    for (directive, expected) in cases {
        check(directive, *expected, |plugins| format!("{:?}", plugins.forward));
    }
}

#[test]
fn kubernetes() {
    let count = "Wrong argument count or unexpected line ending after";
    let cases: &[(&str, Result<&[&str], &str>)] = &[
        (
            "",
            Ok(&[
                "[Name(\"coredns.local.\"), Name(\"test.local.\")]",
                "Disabled",
                "Address",
                "ttl: 5",
                "Fallthrough([])",
                "Watched",
                "Answered",
            ]),
        ),
        ("namespaces demo test", Ok(&["{\"demo\", \"test\"}"])),
        ("labels environment=prod", Ok(&["labels: Some(", "{\"environment\": \"prod\"}"])),
        (
            "labels environment in (production, staging, qa),application=nginx",
            Ok(&["\"application\": \"nginx\"", "[\"production\", \"staging\", \"qa\"]"]),
        ),
        ("namespace_labels istio-injection=enabled", Ok(&["namespace_labels: Some("])),
        (
            "pods insecure\nttl 30\nendpoint_pod_names\nnoendpoints\nignore empty_service x",
            Ok(&["Insecure", "ttl: 30", "names: Pod", "endpoints: Ignored", "services: Ignored"]),
        ),
        ("pods verified", Ok(&["Verified"])),
        ("fallthrough", Ok(&["Fallthrough([Name(\".\")])"])),
        (
            "fallthrough ip6.arpa inaddr.arpa foo.com",
            Ok(&["Name(\"ip6.arpa.\"), Name(\"inaddr.arpa.\"), Name(\"foo.com.\")"]),
        ),
        ("namespaces a\nnamespace_labels b=c", Err("namespaces and namespace_labels cannot both be set")),
        ("namespaces", Err(count)),
        ("labels", Err(count)),
        ("endpoint", Err(count)),
        (
            "labels environment in (production, qa",
            Err(
                "unable to parse label selector value: 'environment in (production, qa': couldn't parse the selector string \"environment in (production, qa\": unable to parse requirement: found '', expected: ',' or ')'",
            ),
        ),
        (
            "pods giant_seed",
            Err(
                "plugin/kubernetes: wrong value for pods: giant_seed,  must be one of: disabled, verified, insecure",
            ),
        ),
        ("ttl", Err(count)),
        ("ttl 4000", Err("Corefile:3 - Error during parsing: ttl must be in range [0, 3600]: 4000")),
        ("ttl abc", Err("plugin/kubernetes: strconv.Atoi: parsing \"abc\": invalid syntax")),
        ("endpoint_pod_names x", Err(count)),
        ("noendpoints x", Err(count)),
        ("ignore x", Err("unable to parse ignore value: 'x'")),
        ("kubeconfig a b c", Err(count)),
        ("multicluster test.local\nzonal", Ok(&["multicluster: [Name(\"test.local.\")], zonal: Named"])),
        (
            "multicluster a.b",
            Err(
                "is not authoritative for the multicluster zone a.b. (authoritative zones: [coredns.local. test.local.])",
            ),
        ),
        ("zonal\nnoendpoints", Err("zonal requires the endpoint cache; remove noendpoints")),
        ("upstream", Err("Corefile:3 - Error during parsing: unknown property 'upstream'")),
        (
            "endpoint http://localhost:9090",
            Err("Corefile:3 - hoplab: CoreDNS kubernetes option endpoint is not simulated"),
        ),
    ];
    for (block, expected) in cases {
        let directive = format!("kubernetes coredns.local test.local {{\n{block}\n}}");
        check(&directive, *expected, |plugins| format!("{:?}", plugins.kubernetes));
    }
    let once = "plugin/kubernetes: this plugin can only be used once per Server Block";
    check("kubernetes a\nkubernetes b", Err(once), |_| String::new());
    check("kubernetes 10.0.0.0/24", Err("non-reverse zone name must be used"), |_| String::new());
    let primary = |plugins: &Plugins| format!("{:?}", plugins.kubernetes.as_ref().map(|k| k.primary));
    check("kubernetes 10.0.0.0/24 cluster.local", Ok(&["Some(1)"]), primary);
}

#[test]
fn cache() {
    let long = Ok(&[
        "success: CacheSide { capacity: 10000, max_ttl: 3600s, min_ttl: 5s",
        "denial: CacheSide { capacity: 10000, max_ttl: 1800s, min_ttl: 5s",
    ][..]);
    let cases: &[(&str, Result<&[&str], &str>)] = &[
        ("cache", long),
        (
            "cache 25 example.nl {\nsuccess 10\ndenial 10 15 2\n}",
            Ok(&[
                "example.nl.",
                "capacity: 10, max_ttl: 25s, min_ttl: 5s",
                "capacity: 10, max_ttl: 15s, min_ttl: 2s",
            ]),
        ),
        ("cache aaa example.nl", Ok(&["aaa.", "example.nl."])),
        ("cache {\nprefetch 10 2m 20%\n}", Ok(&["amount: 10, duration: 120s, percentage: 20"])),
        (
            "cache {\nserve_stale 20s verify\nservfail 1s\nkeepttl\n}",
            Ok(&["up_to: 20s, refresh: Verify", "servfail: 1s", "Kept"]),
        ),
        (
            "cache {\ndisable denial cluster.local\ndisable success\n}",
            Ok(&["except: [Name(\"cluster.local.\")]", "except: [Name(\".\")]"]),
        ),
        ("cache {\nsuccess\n}", Err("Wrong argument count or unexpected line ending after 'success'")),
        ("cache {\ndenial aaa\n}", Err("strconv.Atoi: parsing \"aaa\"")),
        ("cache {\npositive 15\n}", Err("Wrong argument count")),
        ("cache 0 example.nl", Err("plugin/cache: cache TTL can not be zero or negative: 0")),
        ("cache -1", Err("cache TTL can not be zero or negative: -1")),
        ("cache {\nsuccess 1 2 -1\n}", Err("cache min TTL can not be negative: -1")),
        ("cache {\nprefetch -1\n}", Err("prefetch amount should be positive: -1")),
        ("cache {\nprefetch 0 blurp\n}", Err("time: invalid duration \"blurp\"")),
        ("cache {\nprefetch 1 1m 95%\n}", Err("percentage should fall in range [10, 90]: 95")),
        ("cache {\nprefetch 1 1m 20\n}", Err("last character of percentage should be `%`, but is: '0'")),
        ("cache {\nserve_stale -1s\n}", Err("invalid negative duration for serve_stale")),
        ("cache {\nserve_stale 1s maybe\n}", Err("invalid value for serve_stale refresh mode: maybe")),
        ("cache {\nservfail 301s\n}", Err("caching SERVFAIL responses over 5 minutes is not permitted")),
        ("cache {\ndisable all\n}", Err("cache type for disable must be \"success\" or \"denial\"")),
        ("cache\ncache", Err("this plugin can only be used once per Server Block")),
    ];
    for (directive, expected) in cases {
        check(directive, *expected, |plugins| format!("{:?}", plugins.cache));
    }
}

#[test]
fn the_rest() {
    let cases: &[(&str, Result<&[&str], &str>)] = &[
        ("errors", Ok(&["ErrorLog { consolidate: [] }"])),
        (
            "errors stdout {\nstacktrace\nconsolidate 1m \"format error\" warning\n}",
            Ok(&["period: 60s", "format error", "Warning"]),
        ),
        (
            "errors errors.txt",
            Err("plugin/errors: Corefile:2 - Error during parsing: invalid log file: errors.txt"),
        ),
        ("errors {\nconsolidate 1m\n}", Err("Wrong argument count or unexpected line ending after '1m'")),
        ("errors {\nconsolidate 1m .* extra\n}", Err("unknown log level argument in consolidate: extra")),
        ("errors {\nconsolidate 1 .*\n}", Err("Error during parsing: time: missing unit in duration \"1\"")),
        ("errors {\nconsolidate 1m ())\n}", Err("error parsing regexp:")),
        (
            "errors {\nnothing\n}",
            Err("Corefile:3 - Syntax error: Unexpected token 'nothing', expecting 'Unknown field nothing'"),
        ),
        ("errors\nerrors", Err("this plugin can only be used once")),
        ("health", Ok(&["listen: Listen { ip: None, port: 8080 }, lameduck: 0ns"])),
        ("health localhost:1234 {\nlameduck 4s\n}", Ok(&["ip: Some(127.0.0.1), port: 1234 }, lameduck: 4s"])),
        ("health bla", Err("plugin/health: address bla: missing port in address")),
        ("health bla bla", Err("Wrong argument count")),
        (
            "health {\nlameduck a\n}",
            Err("unable to parse lameduck duration value: 'a' : time: invalid duration \"a\""),
        ),
        ("health {\nlamedudk 4\n}", Err("unknown property 'lamedudk'")),
        ("ready", Ok(&["ready: Some(Listen { ip: None, port: 8181 })"])),
        (
            "ready localhost:1234 b",
            Err("plugin/ready: Corefile:2 - Error during parsing: Wrong argument count"),
        ),
        ("prometheus :9153", Ok(&["prometheus: Some(Listen { ip: None, port: 9153 })"])),
        ("prometheus", Ok(&["prometheus: Some(Listen { ip: Some(127.0.0.1), port: 9153 })"])),
        ("loop", Ok(&["find_loop: Some(Name(\".\"))"])),
        ("loop argument", Err("plugin/loop: Corefile:2 - Error during parsing: Wrong argument count")),
        ("reload", Ok(&["interval: 30s, jitter: 15s"])),
        ("reload 10s 2s", Ok(&["interval: 10s, jitter: 2s"])),
        ("reload 10s", Ok(&["interval: 10s, jitter: 5s"])),
        ("reload foo", Err("plugin/reload: time: invalid duration \"foo\"")),
        ("reload 10s 5s foo", Err("Wrong argument count")),
        ("reload 1s", Err("plugin/reload: interval value must be greater or equal to 2s")),
        ("reload 3s 0.5s", Err("plugin/reload: jitter value must be greater or equal to 1s")),
        ("loadbalance", Ok(&["Some(RoundRobin)"])),
        ("loadbalance fleeb", Err("plugin/loadbalance: unknown policy: fleeb")),
        ("loadbalance round_robin a", Err("unknown property for round_robin")),
        ("loadbalance weighted", Err("missing weight file argument")),
        ("loadbalance weighted a b", Err("unexpected argument(s)")),
        ("loadbalance weighted a", Err("hoplab: CoreDNS loadbalance weighted is not simulated")),
        ("hosts", Ok(&["path: \"/etc/hosts\"", "Fallthrough([])", "Answered", "ttl: 3600, reload: 5s"])),
        (
            "hosts /etc/hosts miek.nl 10.0.0.9/8 {\nfallthrough\n}",
            Ok(&["Name(\"miek.nl.\"), Name(\"10.in-addr.arpa.\")", "Fallthrough([Name(\".\")])"]),
        ),
        (
            "hosts {\n10.0.0.1 example.org  e\nno_reverse\nttl 5\nreload 0s\n}",
            Ok(&["[\"10.0.0.1 example.org e\"]", "Unanswered", "ttl: 5, reload: 0ns"]),
        ),
        ("hosts {\nfallthrough\n10.0.0.1 a\n}", Err("unknown property '10.0.0.1'")),
        ("hosts {\nttl 0\n}", Err("ttl provided is invalid")),
        ("hosts\nhosts", Err("this plugin can only be used once")),
        ("log", Ok(&["scope: Name(\".\"), format: \"{remote}:{port} - {>id}", "classes: {All}"])),
        ("log example.org {combined}", Ok(&["example.org.", "{duration} \\\"{>opcode}\\\"\""])),
        (
            "log example.org example.net {when} {\nclass denial error\n}",
            Ok(&["example.net.\"), format: \"{when}\", classes: {Denial, Error}"]),
        ),
        ("log {\nclass abracadabra\n}", Err("invalid Class: abracadabra")),
        ("log {\nclass\n}", Err("Wrong argument count")),
        ("rewrite name a b.", Ok(&["Stop, matches: Exact(\"a.\"), to: \"b.\", answers: Restored"])),
        (
            "rewrite continue name suffix .a.b .c answer auto",
            Ok(&["Continue, matches: Suffix(\".a.b.\"), to: \".c.\", answers: Restored"]),
        ),
        ("rewrite {\nname\nregex\n\"(.*)\\.x\"\n{1}.y\n}", Ok(&["Regex(", "to: \"{1}.y.\", answers: Kept"])),
        ("rewrite name regex a b answer name (.*)\\.b {1}.a value x y", Ok(&["field: Name", "field: Value"])),
        (
            "rewrite name regex (.*).b {1}.{2}.b",
            Err(
                "plugin/rewrite: the rewrite regex pattern ({1}.{2}.b) uses more subexpressions than its corresponding matching regex pattern ((.*).b)",
            ),
        ),
        ("rewrite name suffix a b answer", Err("invalid arguments for suffix rule")),
        (
            "rewrite name suffix a b answer name",
            Err("name answer rule for suffix rule: 2 arguments required"),
        ),
        (
            "rewrite name suffix a b answer other",
            Err("invalid type \"other\" for answer rule for suffix rule"),
        ),
        (
            "rewrite name suffix a b c d",
            Err("exceeded the number of arguments for a non-answer rule argument for suffix rule"),
        ),
        (
            "rewrite name glob a b",
            Err(
                "name rule supports only exact, prefix, suffix, substring, and regex name matching, received: glob",
            ),
        ),
        ("rewrite name a", Err("too few arguments for a name rule")),
        ("rewrite", Err("no rule type specified for rewrite")),
        ("rewrite stop", Err("stop rule must begin with a rule type")),
        ("rewrite type a", Err("type rules must have exactly two arguments")),
        ("rewrite nothing a b", Err("invalid rule type \"nothing\"")),
        ("rewrite ttl a 5", Err("Corefile:2 - hoplab: CoreDNS rewrite ttl is not simulated")),
    ];
    for (directive, expected) in cases {
        check(directive, *expected, |plugins| format!("{plugins:?}"));
    }
}
