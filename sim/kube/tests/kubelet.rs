//! Kubelets on two hosts with an API server: pods are made, probed, restarted, stopped; what fails
//! says why.

#[path = "support/act.rs"]
mod act;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Node, Pod};
use kernel::request::{LinkAdd, LinkKind, Request as KernelRequest};
use kube::api::{self, ClusterSettings, manifest};
use kube::cni::{Release, paths};
use kube::stream::{Ask, Piece, Request, Stream};
use packet::NetnsId;
use trace::Off;
use world::{CableOptions, Endpoint, Next, Outcome, Program, SegmentKind, Sys, World};

/// Asks a container and prints what it hears.
#[derive(Clone, Debug)]
struct Client {
    request: Request,
    input: Vec<u8>,
    stream: Option<Stream>,
}

impl Program for Client {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let mut stream = Stream::open(sys, self.request.clone());
                if !self.input.is_empty() {
                    stream.send(sys, Piece::In(self.input.clone()));
                    stream.send(sys, Piece::EndOfInput);
                }
                self.stream.insert(stream)
            }
        };
        let seen = sys.store().revision();
        for piece in stream.receive(sys.store()) {
            let (text, status) = match piece {
                Piece::Out(bytes) | Piece::Err(bytes) => (String::from_utf8_lossy(&bytes).into_owned(), None),
                Piece::Refused(why) => (format!("Error from server{why}\n"), Some(1)),
                Piece::Exited(status) => (String::new(), Some(status)),
                Piece::In(_) | Piece::EndOfInput => (String::new(), None),
            };
            tools::console::write_all(sys, world::Fd::STDOUT, &text);
            if let Some(status) = status {
                return Next::Exit(status);
            }
        }
        Next::Wait(world::Wait { watch: Some(stream.watch(seen)), ..world::Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

struct Cluster {
    world: World,
}

const CONF: &str = r#"{"cniVersion": "0.3.1", "name": "mynet", "plugins": [{"type": "bridge", "bridge": "cni0",
"isGateway": true, "ipMasq": true, "ipam": {"type": "host-local", "subnet": "10.244.N.0/24",
"routes": [{"dst": "0.0.0.0/0"}]}}, {"type": "portmap", "capabilities": {"portMappings": true}}]}"#;

impl Cluster {
    /// Hosts `node1` and `node2`; the API server is on the first.
    fn new() -> Self {
        let mut world = World::new(0);
        let segment = world.add_segment("lan", SegmentKind::Switch);
        for n in 1..=2 {
            let host = world.add_host(&format!("node{n}"), kube::cluster::registry());
            let nic = KernelRequest::LinkAdd(LinkAdd::new("eth0", LinkKind::Nic));
            world.request(host, NetnsId::INIT, nic, &mut Off).expect("a host takes a device");
            let dev = world.host(host).dev_by_name(NetnsId::INIT, "eth0").expect("it was made");
            world.plug(segment, Endpoint { host, dev }, CableOptions::default(), &mut Off);
            for path in paths(Release::V1_9) {
                world.install_file(host, &path, Vec::new());
            }
            let conf = CONF.replace('N', &n.to_string());
            world.install_file(host, "/etc/cni/net.d/10-mynet.conflist", conf.into_bytes());
        }
        world.store_put(ClusterSettings::KEY, Arc::new(ClusterSettings::default()));
        let mut cluster = Self { world };
        for n in 1..=2 {
            let other = 3 - n;
            cluster.run(
                &format!("node{n}"),
                &format!(
                    "ip link set lo up; ip addr add 192.168.0.1{n}/24 dev eth0; ip link set eth0 up
                     ip route add 10.244.{other}.0/24 via 192.168.0.1{other}; sysctl -qw net.ipv4.ip_forward=1
                     kubelet --node-ip=192.168.0.1{n} --cluster-dns=10.96.0.10 --cluster-domain=cluster.local & echo $! > /run/kubelet.pid
                     if [ {n} = 1 ]; then kube-apiserver --advertise-address=192.168.0.11 & fi; sleep 0.1"
                ),
            );
        }
        // What the controller manager would make.
        cluster.create(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default}\n---\napiVersion: v1\nkind: ConfigMap\n\
             metadata: {name: kube-root-ca.crt}\ndata: {ca.crt: ''}\n",
        );
        cluster
    }

    fn act(&mut self, act: impl Fn(&mut dyn Sys) + Send + Sync + 'static) {
        let host = self.world.host_by_name("node1").expect("it was made");
        let console = self.world.add_console(host, false);
        act::act(&mut self.world, host, console, act);
        self.wait(0.001);
    }

    /// Creates what a manifest says.
    fn create(&mut self, text: &str) {
        let objects = manifest::read(text).expect("a good manifest");
        for object in objects {
            self.act(move |sys| {
                (object.resource.create)(sys, &object.object).expect("the API server takes it");
            });
        }
    }

    fn delete(&mut self, name: &'static str) {
        self.act(move |sys| api::delete::<Pod>(sys, "default", name, None).expect("it is there"));
    }

    fn wait(&mut self, seconds: f64) {
        let time = self.world.now() + Duration::from_secs_f64(seconds);
        self.world.run_until(time, &mut Off);
    }

    fn start(&mut self, node: &str, program: Box<dyn Program>) -> (String, i32) {
        let host = self.world.host_by_name(node).expect("it was made");
        let what = format!("{program:?}");
        let console = self.world.add_console(host, false);
        self.world.type_input(host, console, None);
        let args = vec!["test".to_owned()];
        let pid = self.world.spawn_program(host, NetnsId::INIT, console, args, program, BTreeMap::new());
        let mut output = Vec::new();
        let outcome =
            self.world.run_to_exit(host, pid, console, &mut Off, &mut |_, bytes| output.extend(bytes));
        let text = String::from_utf8_lossy(&output).into_owned();
        let Outcome::Exited(status) = outcome else { panic!("{what} never ends: {outcome:?}, after {text}") };
        (text, status)
    }

    fn run(&mut self, node: &str, script: &str) -> String {
        let host = self.world.host_by_name(node).expect("it was made");
        let shell = self.world.registry(host).get("sh").expect("there is a shell").clone();
        self.start(node, shell(["sh", "-c", script].map(str::to_owned).to_vec())).0
    }

    /// Runs a command in the pod's place.
    fn in_pod(&mut self, pod: &str, command: &str) -> String {
        let command: Vec<String> = ["sh", "-c", command].map(str::to_owned).to_vec();
        self.ask(pod, Ask::Exec { command, stdin: false, tty: false }, b"").0
    }

    fn ask(&mut self, pod: &str, ask: Ask, input: &[u8]) -> (String, i32) {
        let request = Request {
            namespace: "default".to_owned(),
            pod: pod.to_owned(),
            container: None,
            ask,
            session: None,
        };
        self.start("node1", Box::new(Client { request, input: input.to_vec(), stream: None }))
    }

    fn pod(&self, name: &str) -> Option<Arc<Pod>> {
        api::get(self.world.store(), "default", name)
    }

    /// Phase, address, and each container's state in a few words.
    fn status(&self, name: &str) -> String {
        let Some(pod) = self.pod(name) else { return "gone".to_owned() };
        let status = pod.status.clone().unwrap_or_default();
        let mut text = format!(
            "{} {}",
            status.phase.unwrap_or_default(),
            status.pod_ip.unwrap_or_else(|| "-".to_owned())
        );
        let all = status.init_container_statuses.into_iter().chain(status.container_statuses);
        for container in all.flatten() {
            let state = container.state.unwrap_or_default();
            let word = match (state.running, state.waiting, state.terminated) {
                (Some(_), ..) => if container.ready { "ready" } else { "running" }.to_owned(),
                (_, Some(waiting), _) => waiting.reason.unwrap_or_default(),
                (.., Some(ended)) => format!("{} {}", ended.reason.unwrap_or_default(), ended.exit_code),
                _ => "?".to_owned(),
            };
            text.push_str(&format!(" {}:{word}:{}", container.name, container.restart_count));
        }
        text
    }

    /// The events about a pod, in order of their first moments.
    fn events(&self, name: &str) -> String {
        let mut events: Vec<Arc<Event>> = api::list(self.world.store(), Some("default"));
        events.retain(|event| event.involved_object.name.as_deref() == Some(name));
        events.sort_by_key(|event| event.metadata.name.clone());
        let line = |event: &Arc<Event>| {
            let times = event.count.filter(|&count| count > 1).map(|count| format!(" x{count}"));
            let message = event.message.clone().unwrap_or_default();
            format!("{}{}: {message}\n", event.reason.clone().unwrap_or_default(), times.unwrap_or_default())
        };
        events.iter().map(line).collect()
    }
}

/// Long random digits become `ID`.
fn without_ids(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() || c == '-' {
            run.push(c);
            continue;
        }
        out.push_str(if run.len() >= 32 { "ID" } else { &run });
        run.clear();
        out.push(c);
    }
    out.pop();
    out
}

fn pod(name: &str, node: &str, container: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  nodeName: {node}\n  containers:\n  - {{name: web, {container}}}\n"
    )
}

#[test]
fn pods_run_and_reach_each_other() {
    let mut cluster = Cluster::new();
    cluster.create(&pod(
        "web",
        "node2",
        "image: 'ikubernetes/myapp:v1', ports: [{containerPort: 80, hostPort: 8080}]",
    ));
    cluster.create(&pod("client", "node1", "image: busybox, command: [sleep, '3600']"));
    cluster.wait(1.0);
    assert_eq!(cluster.status("web"), "Running 10.244.2.2 web:ready:0");
    assert_eq!(cluster.status("client"), "Running 10.244.1.2 web:ready:0");
    assert_eq!(
        cluster.events("web"),
        "Pulled: Container image \"ikubernetes/myapp:v1\" already present on machine\n\
         Created: Created container web\nStarted: Started container web\n"
    );
    let page = "Hello MyApp | Version: v1 | <a href=\"hostname.html\">Pod Name</a>\n";
    for (command, expected) in [
        ("curl -s http://10.244.2.2/", page),
        ("curl -s http://10.244.2.2/hostname.html", "web\n"),
        ("curl -s http://192.168.0.12:8080/hostname.html", "web\n"),
        ("hostname", "client\n"),
        ("cat /etc/hosts | tail -1", "10.244.1.2\tclient\n"),
        (
            "cat /etc/resolv.conf",
            "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions \
             ndots:5\n",
        ),
        ("cat /var/run/secrets/kubernetes.io/serviceaccount/namespace", "default"),
    ] {
        assert_eq!(cluster.in_pod("client", command), expected, "{command}");
    }
    assert_eq!(without_ids(&cluster.run("node1", "ip netns")), "cniID (id: 0)\n");
    let node = api::get::<Node>(cluster.world.store(), "", "node1").expect("it registered");
    let conditions = node.status.clone().unwrap_or_default().conditions.unwrap_or_default();
    let words: Vec<_> =
        conditions.iter().map(|c| (c.reason.as_deref().unwrap_or_default(), c.status.as_str())).collect();
    assert_eq!(
        words,
        [
            ("KubeletHasSufficientMemory", "False"),
            ("KubeletHasNoDiskPressure", "False"),
            ("KubeletHasSufficientPID", "False"),
            ("KubeletReady", "True")
        ]
    );
}

#[test]
fn a_pod_without_network_says_why() {
    let bridge = |ipam: &str| {
        format!(
            "{{\"cniVersion\": \"0.3.1\", \"name\": \"mynet\", \"plugins\": [{{\"type\": \"bridge\", \"ipam\": {ipam}}}]}}"
        )
    };
    let host_local = r#"{"type": "host-local", "subnet": "10.244.1.0/30"}"#;
    let sandbox = "FailedCreatePodSandBox: Failed to create pod sandbox: rpc error: code = Unknown desc = failed to \
                   setup network for sandbox \"ID\": plugin type=";
    let cases = [
        (
            "a range that is used up",
            "touch /var/lib/cni/networks/mynet/10.244.1.2".to_owned(),
            bridge(host_local),
            format!(
                "{sandbox}\"bridge\" failed (add): failed to allocate for range 0: no IP addresses available in range \
                 set: 10.244.1.1-10.244.1.2\n"
            ),
            // containerd has tidied up.
            "",
        ),
        (
            "a plugin that isn't there",
            "rm /opt/cni/bin/bridge".to_owned(),
            bridge(host_local),
            format!(
                "{sandbox}\"bridge\" failed (add): failed to find plugin \"bridge\" in path [/opt/cni/bin]\n"
            ),
            // It can't tidy up without the plugin either.
            "cniID\n",
        ),
        (
            "a file that is no configuration",
            "sleep 6".to_owned(),
            "{".to_owned(),
            "NetworkNotReady: network is not ready: container runtime network not ready: NetworkReady=false \
             reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized\n"
                .to_owned(),
            "",
        ),
        (
            "a range that is none",
            "true".to_owned(),
            bridge(r#"{"type": "host-local", "subnet": "10.244.1.0/33"}"#),
            format!("{sandbox}\"bridge\" failed (add): invalid CIDR address: 10.244.1.0/33\n"),
            "cniID\n",
        ),
    ];
    for (case, setup, conf, event, netns) in cases {
        let mut cluster = Cluster::new();
        cluster.run(
            "node1",
            &format!(
                "mkdir -p /var/lib/cni/networks/mynet; printf '%s' '{conf}' > /etc/cni/net.d/10-mynet.conflist
                 {setup}; sleep 6"
            ),
        );
        cluster.create(&pod("web", "node1", "image: nginx"));
        cluster.wait(1.0);
        assert_eq!(cluster.status("web"), "Pending - web:ContainerCreating:0", "{case}");
        let said = without_ids(&cluster.events("web"));
        let first = said.lines().next().unwrap_or_default().replace("(x1)", "");
        assert_eq!(format!("{first}\n").replacen(" x2:", ":", 1), event, "{case}");
        assert_eq!(without_ids(&cluster.run("node1", "ls /run/netns")), netns, "{case}");
    }
}

#[test]
fn a_pod_starts_when_its_network_comes() {
    let mut cluster = Cluster::new();
    cluster.run("node1", "mv /etc/cni/net.d/10-mynet.conflist /tmp/; sleep 6");
    let ready = |cluster: &Cluster| {
        let node = api::get::<Node>(cluster.world.store(), "", "node1").expect("it registered");
        let conditions = node.status.clone().unwrap_or_default().conditions.unwrap_or_default();
        let ready = conditions.into_iter().find(|condition| condition.type_ == "Ready").expect("it is there");
        format!("{} {}", ready.status, ready.message.unwrap_or_default())
    };
    assert_eq!(
        ready(&cluster),
        "False container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network \
         plugin returns error: cni plugin not initialized"
    );
    cluster.create(&pod("web", "node1", "image: nginx"));
    cluster.wait(1.0);
    cluster.run("node1", "mv /tmp/10-mynet.conflist /etc/cni/net.d/; sleep 10");
    assert_eq!(ready(&cluster), "True kubelet is posting ready status");
    assert_eq!(cluster.status("web"), "Running 10.244.1.2 web:ready:0");
}

#[test]
fn containers_start_in_order_and_again_after_a_failure() {
    let mut cluster = Cluster::new();
    cluster.create(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {greeting: hello}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec:\n  nodeName: node1\n  volumes:\n  \
         - {name: conf, configMap: {name: conf}}\n  - {name: data, emptyDir: {}}\n  - {name: host, hostPath: {path: \
         /srv}}\n  hostAliases: [{ip: 1.2.3.4, hostnames: [foo, bar]}]\n  initContainers:\n  - name: one\n    image: \
         busybox\n    command: [sh, -c, 'cat /conf/greeting > /data/said; echo \"$NODE $IP\" > /srv/from']\n    env:\n    \
         - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}\n    - {name: IP, valueFrom: {fieldRef: \
         {fieldPath: status.podIP}}}\n    volumeMounts: [{name: conf, mountPath: /conf}, {name: data, mountPath: \
         /data}, {name: host, mountPath: /srv}]\n  - {name: two, image: busybox, command: [sleep, '1']}\n  \
         containers:\n  - {name: main, image: busybox, command: [sleep, '3600'], volumeMounts: [{name: data, mountPath: \
         /data}]}\n",
    );
    cluster.wait(0.5);
    assert_eq!(
        cluster.status("web"),
        "Pending 10.244.1.2 one:Completed 0:0 two:ready:0 main:PodInitializing:0"
    );
    cluster.wait(1.0);
    assert_eq!(cluster.status("web"), "Running 10.244.1.2 one:Completed 0:0 two:Completed 0:0 main:ready:0");
    assert_eq!(
        cluster.in_pod("web", "cat /data/said; tail -2 /etc/hosts"),
        "hello# Entries added by HostAliases.\n1.2.3.4\tfoo\tbar\n"
    );
    assert_eq!(cluster.run("node1", "cat /srv/from"), "node1 10.244.1.2\n");

    cluster.create(&pod("broken", "node1", "image: busybox, command: [sh, -c, 'echo no; exit 3']"));
    cluster.create(&pod("nothing", "node1", "image: busybox, command: [foo]"));
    cluster.create(&pod(
        "lost",
        "node1",
        "image: nginx, env: [{name: A, valueFrom: {configMapKeyRef: {name: x, key: k}}}]",
    ));
    cluster.wait(1.0);
    assert_eq!(cluster.status("broken"), "Running 10.244.1.3 web:CrashLoopBackOff:1");
    assert_eq!(cluster.status("nothing"), "Running 10.244.1.4 web:RunContainerError:0");
    assert_eq!(cluster.status("lost"), "Pending 10.244.1.5 web:CreateContainerConfigError:0");
    assert!(
        cluster.events("nothing").contains(
            "Failed: Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: \
             runc create failed: unable to start container process: exec: \"foo\": executable file not found in $PATH: \
             unknown\n"
        ),
        "{}",
        cluster.events("nothing")
    );
    assert_eq!(
        cluster.ask("broken", Ask::Logs { follow: false, tail: None, previous: true }, b""),
        ("no\n".to_owned(), 0)
    );
    cluster.wait(100.0);
    // After 10 and 20 and 40 seconds.
    assert_eq!(cluster.status("broken"), "Running 10.244.1.3 web:CrashLoopBackOff:4");
}

#[test]
fn probes_ask_and_have_consequences() {
    let mut cluster = Cluster::new();
    let probe = |what: &str| format!("image: nginx, {what}");
    cluster.create(&pod(
        "ready",
        "node1",
        &probe("readinessProbe: {httpGet: {port: 80, path: /ok}, periodSeconds: 1}"),
    ));
    cluster.create(&pod("tcp", "node1", &probe("readinessProbe: {tcpSocket: {port: 81}, periodSeconds: 1}")));
    cluster.create(&pod(
        "live",
        "node1",
        &probe("livenessProbe: {exec: {command: [cat, /alive]}, initialDelaySeconds: 2, periodSeconds: 1, failureThreshold: 2}"),
    ));
    cluster.wait(2.5);
    assert_eq!(cluster.status("ready"), "Running 10.244.1.2 web:running:0");
    let last = |events: String| {
        events.lines().find(|line| line.starts_with("Unhealthy")).unwrap_or_default().to_owned()
    };
    assert_eq!(
        last(cluster.events("ready")),
        "Unhealthy x2: Readiness probe failed: HTTP probe failed with statuscode: 404"
    );
    assert_eq!(
        last(cluster.events("tcp")),
        "Unhealthy x2: Readiness probe failed: dial tcp 10.244.1.3:81: connect: connection refused"
    );
    cluster.in_pod("ready", "echo ok > /usr/share/nginx/html/ok");
    cluster.wait(1.1);
    assert_eq!(cluster.status("ready"), "Running 10.244.1.2 web:ready:0");
    cluster.wait(2.0);
    assert_eq!(cluster.status("live"), "Running 10.244.1.4 web:ready:1");
    let events = cluster.events("live");
    for line in [
        "Unhealthy x3: Liveness probe failed: cat: /alive: No such file or directory\n",
        "Killing: Container web failed liveness probe, will be restarted\n",
    ] {
        assert!(events.contains(line), "{line} is not in {events}");
    }
}

#[test]
fn a_kubelet_that_comes_back_finds_its_pods_and_a_deleted_one_goes() {
    let mut cluster = Cluster::new();
    cluster.create(&pod("web", "node1", "image: nginx"));
    cluster.wait(1.0);
    let shown = "ip netns; ip route; ls /var/lib/cni/networks/mynet";
    let before = cluster.run("node1", shown);
    let uid = |cluster: &Cluster| {
        let status = cluster.pod("web").and_then(|pod| pod.status.clone()).unwrap_or_default();
        status.container_statuses.and_then(|all| all.first()?.container_id.clone())
    };
    let container = uid(&cluster);
    cluster.run("node1", "kill $(cat /run/kubelet.pid); sleep 1");
    assert_eq!(cluster.run("node1", shown), before);
    // Without its kubelet nobody gives logs.
    let logs = Ask::Logs { follow: false, tail: Some(1), previous: false };
    assert_eq!(
        cluster.ask("web", logs.clone(), b"").0,
        "Error from server: Get \"https://192.168.0.11:10250/containerLogs/default/web/web?tailLines=1\": dial tcp \
         192.168.0.11:10250: connect: connection refused\n"
    );
    cluster.run("node1", "kubelet --node-ip=192.168.0.11 & sleep 1; curl -s http://10.244.1.2/ >/dev/null");
    assert_eq!(cluster.run("node1", shown), before);
    assert_eq!(
        (cluster.status("web").as_str(), uid(&cluster)),
        ("Running 10.244.1.2 web:ready:0", container)
    );
    assert!(cluster.ask("web", logs, b"").0.contains("\"GET / HTTP/1.1\" 200"));
    cluster.delete("web");
    cluster.wait(1.0);
    assert_eq!(cluster.status("web"), "gone");
    assert_eq!(
        cluster.run("node1", "ip netns; ls /var/lib/kubelet/pods /var/log/pods /var/lib/cni/networks/mynet"),
        "/var/lib/cni/networks/mynet:\nlast_reserved_ip.0\nlock\n\n/var/lib/kubelet/pods:\n\n/var/log/pods:\n"
    );
    assert!(cluster.events("web").ends_with("Killing: Stopping container web\n"));
}

#[test]
fn a_command_in_a_container_has_input_and_a_status() {
    let mut cluster = Cluster::new();
    cluster.create(&pod(
        "web",
        "node2",
        "image: busybox, stdin: true, command: [sh, -c, 'read x; echo got $x; sleep 3600']",
    ));
    cluster.wait(1.0);
    let exec = |words: &[&str]| Ask::Exec {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        stdin: true,
        tty: false,
    };
    assert_eq!(cluster.ask("web", exec(&["sh", "-c", "cat; exit 7"]), b"a\nb\n"), ("a\nb\n".to_owned(), 7));
}

#[test]
fn a_forwarded_port_answers_a_client_that_has_sent_all() {
    let mut cluster = Cluster::new();
    cluster.create(&pod("web", "node2", "image: nginx"));
    cluster.wait(1.0);
    let mut port = |port: u16, input: &str| cluster.ask("web", Ask::PortForward { port }, input.as_bytes());
    let (answer, status) = port(80, "GET / HTTP/1.1\r\nHost: web\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("Welcome to nginx!"), "{answer}");
    assert_eq!(status, 0);
    let (answer, status) = port(81, "x");
    assert!(answer.ends_with("dial tcp4 127.0.0.1:81: connect: connection refused"), "{answer}");
    assert_eq!(status, 1);
}

#[test]
fn logs_of_a_node_behind_a_firewall_are_not_to_be_had() {
    let mut cluster = Cluster::new();
    cluster.create(&pod("web", "node2", "image: nginx"));
    cluster.wait(1.0);
    for (target, why, seconds) in [("DROP", "i/o timeout", 30), ("REJECT", "connect: connection refused", 0)]
    {
        cluster.run("node2", &format!("iptables -A INPUT -p tcp --dport 10250 -j {target}"));
        let before = cluster.world.now();
        let said = cluster.ask("web", Ask::Logs { follow: false, tail: None, previous: false }, b"");
        let text = format!(
            "Error from server: Get \"https://192.168.0.12:10250/containerLogs/default/web/web\": dial tcp \
             192.168.0.12:10250: {why}\n"
        );
        assert_eq!(said, (text, 1));
        assert_eq!(cluster.world.now().since(before).as_secs(), seconds);
        cluster.run("node2", "iptables -F INPUT");
    }
}

#[test]
fn the_same_world_twice_is_the_same() {
    let run = || {
        let mut cluster = Cluster::new();
        cluster.create(&pod(
            "web",
            "node2",
            "image: nginx, livenessProbe: {httpGet: {port: 81}, periodSeconds: 1}",
        ));
        cluster.wait(30.0);
        let printed = cluster.run(
            "node2",
            "ip netns; ip addr; iptables-save; cat /var/log/pods/*/*/*.log; ls -R /var/lib/kubelet",
        );
        (printed, cluster.events("web"), cluster.world.events_run())
    };
    assert_eq!(run(), run());
}

#[test]
fn kubenet_and_static_pods_and_flags() {
    let mut cluster = Cluster::new();
    cluster.run("node1", "kill $(cat /run/kubelet.pid); mkdir -p /etc/kubernetes/manifests; sleep 1");
    for (flags, expected) in [
        ("--network-plugin=cni --foo", "failed to parse kubelet flag: unknown flag: --foo"),
        (
            "--node-ip=x",
            "invalid argument \\\"x\\\" for \\\"--node-ip\\\" flag: failed to parse IP: \\\"x\\\"",
        ),
    ] {
        let printed = cluster.run("node1", &format!("kubelet {flags} 2>&1"));
        assert!(printed.contains("\"command failed\" err=") && printed.contains(expected), "{printed}");
    }
    let text = pod("etcd", "x", "image: nginx").replace("  nodeName: x\n", "  hostNetwork: true\n");
    cluster.run(
        "node1",
        &format!(
            "cat > /etc/kubernetes/manifests/etcd.yaml <<'END'\n{text}END\nkubelet --node-ip=192.168.0.11 \
             --network-plugin=kubenet --pod-cidr=10.244.1.0/24 --pod-manifest-path=/etc/kubernetes/manifests \
             --register-with-taints=a=b:NoSchedule --node-labels=x=y >/dev/null 2>&1 & sleep 1"
        ),
    );
    cluster.create(&pod("web", "node1", "image: nginx"));
    cluster.wait(1.0);
    assert_eq!(cluster.status("etcd-node1"), "Running 192.168.0.11 web:ready:0");
    assert_eq!(cluster.status("web"), "Running 10.244.1.2 web:ready:0");
    assert_eq!(
        cluster.run("node1", "ip route | grep cbr0; iptables -t nat -S POSTROUTING | grep -v KUBE"),
        "10.244.1.0/24 dev cbr0 proto kernel scope link src 10.244.1.1 \n-P POSTROUTING ACCEPT\n-A POSTROUTING ! -d \
         10.0.0.0/8 -m comment --comment \"kubenet: SNAT for outbound traffic from cluster\" -m addrtype ! --dst-type \
         LOCAL -j MASQUERADE\n"
    );
    cluster.run("node1", "rm /etc/kubernetes/manifests/etcd.yaml; sleep 30");
    assert_eq!(cluster.status("etcd-node1"), "gone");
}
