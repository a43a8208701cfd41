//! What kube-proxy 1.30 says of a configuration that it can't use, or not all of. The texts are those
//! of `cmd/kube-proxy/app` and `pkg/proxy/apis/config/validation`.

#[path = "support/shell.rs"]
mod shell;

use kube::proxy;
use world::World;

/// What it writes when it is started with a file, without times and numbers; it ends by itself, or
/// after a moment.
fn told(configuration: &str) -> String {
    let mut registry = tools::registry();
    proxy::install(&mut registry);
    let mut world = World::new(0);
    let host = world.add_host("node1", registry);
    let head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
    let text = if configuration.contains("kind:") { String::new() } else { head.to_owned() } + configuration;
    world.install_file(host, "/c", text.into_bytes());
    let script = "kube-proxy --config=/c 2>/log & sleep 0.1
                  sed 's/^\\([EI]\\)[0-9]* [0-9:.]* *[0-9]* /\\1 /' /log";
    shell::run(&mut world, "node1", script).0.trim_end().to_owned()
}

#[test]
fn a_bad_field_ends_it_and_a_strange_one_does_not() {
    let failed = |why: &str| format!("E run.go:74] \"command failed\" err={why:?}");
    let invalid = |what: &str| failed(&format!("failed validate: KubeProxyConfiguration.{what}"));
    for (configuration, expected) in [
        (
            "iptables: {masqueradeBit: 32}\n",
            invalid("KubeProxyIPTablesConfiguration.MasqueradeBit: Invalid value: 32: must be within the range [0, 31]"),
        ),
        (
            "mode: userspace\n",
            invalid(
                "Mode.ProxyMode: Invalid value: \"userspace\": must be iptables, ipvs or blank (blank means the \
                 best-available proxy [currently iptables])",
            ),
        ),
        (
            "conntrack: {min: -1}\nbindAddress: here\n",
            failed(
                "failed validate: [KubeProxyConfiguration.KubeProxyConntrackConfiguration.Min: Invalid value: -1: must \
                 be greater than or equal to 0, KubeProxyConfiguration.BindAddress: Invalid value: \"here\": not a \
                 valid textual representation of an IP address]",
            ),
        ),
        (
            "kind: Config\napiVersion: v1\n",
            failed(
                "failed complete: failed to decode: no kind \"Config\" is registered for version \"v1\" in scheme \
                 \"k8s.io/kubernetes/pkg/proxy/apis/config/scheme/scheme.go:29\"",
            ),
        ),
        (
            "resourceContainer: /kube-proxy\n",
            "I server.go:511] \"Using lenient decoding as strict decoding failed\" err=\"strict decoding error: \
             unknown field \\\"resourceContainer\\\"\""
                .to_owned(),
        ),
    ] {
        assert_eq!(told(configuration), expected, "{configuration}");
    }
}
