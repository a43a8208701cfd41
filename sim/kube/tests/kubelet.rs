//! Kubelets on two hosts with an API server: pods are made, probed, restarted, stopped; what fails
//! says why.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Namespace, Node, Pod};
use kernel::request::{LinkAdd, LinkKind, Request as KernelRequest};
use kube::api::{self, ClusterSettings, manifest};
use kube::cni::{Release, paths};
use kube::stream::{Ask, Piece, Request, Stream};
use packet::NetnsId;
use trace::Off;
use world::{CableOptions, Endpoint, Next, Outcome, Program, SegmentKind, Sys, World};

/// Calls a function with the system calls of a process of `master`.
#[derive(Clone)]
struct Once(Arc<dyn Fn(&mut dyn Sys) + Send + Sync>);

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl Program for Once {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        (self.0)(sys);
        Next::Exit(0)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

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
                     kubelet --node-ip=192.168.0.1{n} --cluster-dns=10.96.0.10 --cluster-domain=cluster.local &
                     if [ {n} = 1 ]; then kube-apiserver --advertise-address=192.168.0.11 & fi; sleep 0.1"
                ),
            );
        }
        cluster.act(|sys| {
            let mut namespace = Namespace::default();
            namespace.metadata.name = Some("default".to_owned());
            api::create(sys, namespace).expect("a namespace can be made");
        });
        cluster
    }

    fn act(&mut self, act: impl Fn(&mut dyn Sys) + Send + Sync + 'static) {
        let host = self.world.host_by_name("node1").expect("it was made");
        let console = self.world.add_console(host, false);
        let program = Box::new(Once(Arc::new(act)));
        self.world.spawn_program(
            host,
            NetnsId::INIT,
            console,
            vec!["act".to_owned()],
            program,
            BTreeMap::new(),
        );
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
        let console = self.world.add_console(host, false);
        self.world.type_input(host, console, None);
        let args = vec!["test".to_owned()];
        let pid = self.world.spawn_program(host, NetnsId::INIT, console, args, program, BTreeMap::new());
        let mut output = Vec::new();
        let outcome =
            self.world.run_to_exit(host, pid, console, &mut Off, &mut |_, bytes| output.extend(bytes));
        let text = String::from_utf8_lossy(&output).into_owned();
        let Outcome::Exited(status) = outcome else { panic!("it never ends: {outcome:?}, after {text}") };
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
