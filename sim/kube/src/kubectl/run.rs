//! `kubectl run` and `kubectl expose`.

use packet::SimTime;
use serde_json::{Map, Value, json};
use world::{Fd, Next, Program, Signal, Sys, Wait, Watch};

use super::cli::{Cli, DryRun, Then};
use super::container::{After, Streaming};
use super::create::make;
use super::delete::Gone;
use super::failure::Failure;
use super::kinds;
use super::print::{list, number, pod_ready, text};
use super::target::{self, Target, TypeAlone};
use crate::stream::{Ask, Request};

/// Reads `a=b,c=d`.
fn read_labels(text: &str) -> Result<Value, Failure> {
    let mut labels = Map::new();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| Failure::Own(format!("unexpected label spec: {pair}")))?;
        labels.insert(key.trim().to_owned(), value.trim().into());
    }
    Ok(Value::Object(labels))
}

/// The pod that the options of `run` describe.
fn pod_object(cli: &Cli<'_>, name: &str, args: &[String]) -> Result<Value, Failure> {
    let image = cli.flags.get("image").unwrap_or_default();
    if image.is_empty() {
        return Err(Failure::Own("--image is required".to_owned()));
    }
    let restart = cli.flags.get("restart").unwrap_or("Always");
    if !["Always", "OnFailure", "Never"].contains(&restart) {
        return Err(cli.usage(format!("invalid restart policy: {restart}")));
    }
    let labels = match cli.flags.get("labels") {
        Some(text) if !text.is_empty() => read_labels(text)?,
        _ => json!({"run": name}),
    };
    let mut container = json!({"image": image, "name": name, "resources": {}});
    if !args.is_empty() {
        let field = if cli.flags.on("command") { "command" } else { "args" };
        container[field] = args.to_vec().into();
    }
    if let Some(port) = cli.flags.get("port").filter(|port| !port.is_empty()) {
        let port: u16 = port
            .parse()
            .map_err(|_| Failure::Own(format!("strconv.ParseInt: parsing {port:?}: invalid syntax")))?;
        container["ports"] = json!([{"containerPort": port}]);
    }
    let mut env = Vec::new();
    for pair in cli.flags.all("env") {
        let (name, value) = pair
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| Failure::Own(format!("invalid env: {pair}")))?;
        env.push(json!({"name": name, "value": value}));
    }
    if !env.is_empty() {
        container["env"] = Value::Array(env);
    }
    if let Some(policy) = cli.flags.get("image-pull-policy").filter(|policy| !policy.is_empty()) {
        if !["Always", "IfNotPresent", "Never"].contains(&policy) {
            return Err(cli.usage(format!("invalid image pull policy: {policy}")));
        }
        container["imagePullPolicy"] = policy.into();
    }
    if cli.flags.on("stdin") {
        container["stdin"] = true.into();
        if !cli.flags.on("leave-stdin-open") {
            container["stdinOnce"] = true.into();
        }
    }
    if cli.flags.on("tty") {
        container["tty"] = true.into();
    }
    let mut metadata = json!({"creationTimestamp": null, "labels": labels, "name": name});
    for pair in cli.flags.all("annotations") {
        let (key, value) = pair.split_once('=').unwrap_or((&pair, ""));
        super::change::put(&mut metadata, &["annotations"], key, value.into());
    }
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart},
        "status": {},
    });
    if let Some(overrides) = cli.flags.get("overrides").filter(|text| !text.is_empty()) {
        let patch: Value = serde_json::from_str(overrides)
            .map_err(|error| Failure::Own(format!("Invalid JSON Patch: {error}")))?;
        match cli.flags.get("override-type").unwrap_or("merge") {
            "strategic" => super::patch::strategic(&mut pod, &patch).map_err(Failure::Own)?,
            "json" => super::patch::json(&mut pod, &patch).map_err(Failure::Own)?,
            _ => super::patch::merge(&mut pod, &patch),
        }
    }
    Ok(pod)
}

/// Runs `run`.
pub fn run(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let words = cli.flags.words.clone();
    let Some((name, args)) = words.split_first().filter(|_| cli.flags.dash != Some(0)) else {
        return Err(cli.usage("NAME is required for run"));
    };
    let (stdin, tty) = (cli.flags.on("stdin"), cli.flags.on("tty"));
    let dry_run = cli.dry_run()?;
    if tty && !stdin {
        return Err(cli.usage("-i/--stdin is required for containers with -t/--tty=true"));
    }
    let attached = cli.flags.get("attach").map_or(stdin, |_| cli.flags.on("attach"));
    let remove = cli.flags.on("rm");
    if remove && !attached {
        return Err(cli.usage("--rm should only be used for attached containers"));
    }
    if attached && dry_run != DryRun::No {
        let why = "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)";
        return Err(cli.usage(why));
    }
    if cli.flags.on("expose") && cli.flags.get("port").is_none() {
        return Err(cli.usage("--port must be set when exposing a service"));
    }
    let object = pod_object(cli, name, args)?;
    let pod = if attached { quietly(cli, &object)? } else { make(cli, object, "created")? };
    if cli.flags.on("expose") {
        let port = number(&pod.object, "/spec/containers/0/ports/0/containerPort");
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"creationTimestamp": null, "name": name},
            "spec": {
                "ports": [{"port": port, "protocol": "TCP", "targetPort": port}],
                "selector": pod.object["metadata"]["labels"],
            },
            "status": {"loadBalancer": {}},
        });
        make(cli, service, "created")?;
    }
    if !attached {
        return Ok(Then::Exit(0));
    }
    let timeout = cli.flags.duration("pod-running-timeout").and_then(|ns| u64::try_from(ns).ok());
    let until = super::delete::later(cli.sys, timeout.unwrap_or(60_000_000_000));
    let restart = text(&pod.object, "/spec/restartPolicy");
    let run = Attached {
        gone: Gone::of(&pod),
        waits_for_end: restart != "Always" && !cli.flags.on("leave-stdin-open"),
        phase: Phase::Starting { until },
        quiet: cli.flags.on("quiet"),
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
        container: name.clone(),
        stdin,
        remove,
        status: 0,
    };
    Ok(Then::Go(Box::new(run)))
}

/// Makes the pod without a word: what it prints is to stand alone.
fn quietly(cli: &mut Cli<'_>, object: &Value) -> Result<Target, Failure> {
    cli.config.connect(cli.sys)?;
    let kind = kinds::of_object(object);
    let mut object = object.clone();
    object["metadata"]["namespace"] = cli.config.namespace.clone().into();
    let made = (kind.resource.create)(cli.sys, &object)?;
    Ok(Target::new(kind, made, None))
}

/// `run -i`: a pod that lives as long as somebody listens.
#[derive(Clone, Debug)]
struct Attached {
    gone: Gone,
    /// Whether the pod's end gives the exit status.
    waits_for_end: bool,
    phase: Phase,
    quiet: bool,
    namespace: String,
    pod: String,
    container: String,
    stdin: bool,
    /// `--rm`.
    remove: bool,
    status: i32,
}

#[derive(Clone, Debug)]
enum Phase {
    Starting { until: SimTime },
    Talking(Box<Streaming>),
    Ending,
    Deleting,
}

impl Attached {
    fn object(&self, sys: &dyn Sys) -> Option<Value> {
        kinds::find("pods")?.get(sys.store(), &self.namespace, &self.pod).ok()
    }

    fn wait(&self, sys: &dyn Sys, until: Option<SimTime>) -> Next {
        let watch = Watch { after: sys.store().revision(), prefixes: vec![self.gone.prefix()] };
        Next::Wait(Wait { until, watch: Some(watch), ..Wait::default() })
    }

    fn talk(&self, sys: &dyn Sys, ask: Ask) -> Phase {
        let request = Request {
            namespace: self.namespace.clone(),
            pod: self.pod.clone(),
            container: Some(self.container.clone()),
            ask,
            session: sys.session(),
        };
        Phase::Talking(Box::new(Streaming::new(vec![request], self.stdin, After::OneByOne)))
    }

    /// What follows the conversation.
    fn finish(&mut self, sys: &mut dyn Sys) {
        if self.remove {
            if let Some(pods) = kinds::find("pods") {
                let _ = (pods.resource.delete)(sys, &self.namespace, &self.pod, None);
            }
            let line = format!("pod {:?} deleted\n", self.pod);
            tools::console::write_all(sys, Fd::STDOUT, &line);
        }
        self.phase = Phase::Deleting;
    }
}

fn is_over(pod: &Value) -> bool {
    ["Succeeded", "Failed"].contains(&text(pod, "/status/phase"))
}

impl Program for Attached {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        loop {
            match &mut self.phase {
                Phase::Starting { until } => {
                    let until = *until;
                    let Some(pod) = self.object(sys) else {
                        let line = format!("Error from server (NotFound): pods {:?} not found\n", self.pod);
                        tools::console::write_all(sys, Fd::STDERR, &line);
                        return Next::Exit(1);
                    };
                    if is_over(&pod) {
                        let ask = Ask::Logs { follow: false, tail: None, previous: false };
                        self.stdin = false;
                        self.phase = self.talk(sys, ask);
                    } else if pod_ready(&pod) {
                        if !self.quiet {
                            let line = "If you don't see a command prompt, try pressing enter.\n";
                            tools::console::write_all(sys, Fd::STDERR, line);
                        }
                        self.phase = self.talk(sys, Ask::Attach { stdin: self.stdin });
                    } else if sys.now() >= until {
                        tools::console::write_all(
                            sys,
                            Fd::STDERR,
                            "error: timed out waiting for the condition\n",
                        );
                        self.status = 1;
                        self.finish(sys);
                    } else {
                        return self.wait(sys, Some(until));
                    }
                }
                Phase::Talking(streaming) => match streaming.resume(sys) {
                    Next::Wait(wait) => return Next::Wait(wait),
                    Next::Exit(status) => {
                        self.status = status;
                        match self.waits_for_end {
                            true => self.phase = Phase::Ending,
                            false => self.finish(sys),
                        }
                    }
                },
                Phase::Ending => {
                    let pod = self.object(sys);
                    match pod {
                        Some(pod) if !is_over(&pod) => return self.wait(sys, None),
                        Some(pod) => {
                            let code = number(&pod, "/status/containerStatuses/0/state/terminated/exitCode");
                            if code != 0 {
                                let shown = format!("pod {}/{} terminated", self.namespace, self.pod);
                                let reason =
                                    text(&pod, "/status/containerStatuses/0/state/terminated/reason");
                                let line = format!("{shown} ({reason})\n");
                                self.finish(sys);
                                tools::console::write_all(sys, Fd::STDERR, &line);
                                self.status = i32::try_from(code).unwrap_or(1);
                            } else {
                                self.finish(sys);
                            }
                        }
                        None => self.finish(sys),
                    }
                }
                Phase::Deleting => {
                    if !self.remove || self.gone.is_over(sys) {
                        return Next::Exit(self.status);
                    }
                    return self.wait(sys, None);
                }
            }
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        if let Phase::Talking(streaming) = &mut self.phase {
            streaming.signal(sys, signal);
        }
        if matches!(self.phase, Phase::Deleting) {
            return Next::Exit(128 + signal.number());
        }
        self.status = 128 + signal.number();
        self.finish(sys);
        self.resume(sys)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// What a Service for an object selects.
fn selector_of(target: &Target) -> Result<Value, String> {
    match target.kind.kind {
        "Pod" => match target.object["metadata"].get("labels") {
            Some(labels) if labels.as_object().is_some_and(|labels| !labels.is_empty()) => Ok(labels.clone()),
            _ => Err("the pod has no labels and cannot be exposed".to_owned()),
        },
        "Service" => match target.object["spec"].get("selector") {
            Some(selector) if selector.is_object() => Ok(selector.clone()),
            _ => Err("the service has no pod selector set".to_owned()),
        },
        _ => {
            let selector = &target.object["spec"]["selector"];
            if !list(selector, "/matchExpressions").is_empty() {
                return Err("couldn't convert expressions - \"[]\" to map-based selector format".to_owned());
            }
            Ok(selector["matchLabels"].clone())
        }
    }
}

/// Runs `expose`.
pub fn expose(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let words = cli.flags.words.clone();
    let targets = target::live(cli, &words, TypeAlone::NeedsMore)?;
    for target in targets {
        if !["Pod", "Service", "Deployment", "ReplicaSet", "ReplicationController"]
            .contains(&target.kind.kind)
        {
            let kind = match target.kind.group() {
                "" => target.kind.kind.to_owned(),
                group => format!("{}.{group}", target.kind.kind),
            };
            return Err(Failure::Own(format!("cannot expose a {kind}")));
        }
        let selector = match cli.flags.get("selector").filter(|text| !text.is_empty()) {
            Some(text) => read_labels(text)?,
            None => selector_of(&target).map_err(|why| {
                Failure::Own(format!(
                    "couldn't retrieve selectors via --selector flag or introspection: {why}"
                ))
            })?,
        };
        let service = service_of(cli, &target, selector)?;
        make(cli, service, "exposed")?;
    }
    Ok(Then::Exit(0))
}

/// The ports that an object's containers or the object itself declares: number and protocol.
fn declared_ports(target: &Target) -> Vec<(i64, String)> {
    let proto = |port: &Value| match text(port, "/protocol") {
        "" => "TCP".to_owned(),
        proto => proto.to_owned(),
    };
    let containers = match target.kind.kind {
        "Service" => {
            let ports = list(&target.object, "/spec/ports");
            return ports.iter().map(|port| (number(port, "/port"), proto(port))).collect();
        }
        "Pod" => "/spec/containers",
        _ => "/spec/template/spec/containers",
    };
    let all = list(&target.object, containers).iter().flat_map(|container| list(container, "/ports"));
    all.map(|port| (number(port, "/containerPort"), proto(port))).collect()
}

fn service_of(cli: &mut Cli<'_>, target: &Target, selector: Value) -> Result<Value, Failure> {
    let number_or_name = |text: &str| text.parse::<i64>().map_or_else(|_| json!(text), |port| json!(port));
    let given = cli.flags.get("port").filter(|port| !port.is_empty());
    let declared = declared_ports(target);
    let numbers: Vec<i64> = match given {
        Some(text) => text
            .split(',')
            .map(|port| {
                port.parse()
                    .map_err(|_| Failure::Own(format!("strconv.Atoi: parsing {port:?}: invalid syntax")))
            })
            .collect::<Result<_, _>>()?,
        None => declared.iter().map(|(port, _)| *port).collect(),
    };
    let mut unique: Vec<i64> = Vec::new();
    for port in numbers {
        if !unique.contains(&port) || given.is_some() {
            unique.push(port);
        }
    }
    let numbers = unique;
    let headless = cli.flags.get("cluster-ip") == Some("None");
    if numbers.is_empty() && !headless {
        return Err(Failure::Own("couldn't find port via --port flag or introspection".to_owned()));
    }
    let mut ports = Vec::new();
    for (at, port) in numbers.iter().enumerate() {
        let wanted = cli.flags.get("protocol").filter(|proto| !proto.is_empty()).map(str::to_owned);
        let mut known: Vec<String> = declared
            .iter()
            .filter(|(known, _)| known == port && wanted.is_none())
            .map(|(_, proto)| proto.clone())
            .collect();
        known.sort();
        known.dedup();
        if known.is_empty() {
            known.push(wanted.unwrap_or_else(|| "TCP".to_owned()));
        }
        let several = known.len() > 1;
        for proto in known {
            let target_port = cli.flags.get("target-port").filter(|text| !text.is_empty());
            let target_port = target_port.map_or_else(|| json!(port), number_or_name);
            let mut entry = json!({"port": port, "protocol": proto, "targetPort": target_port});
            if several {
                entry["name"] = format!("port-{}-{}", at + 1, proto.to_lowercase()).into();
            } else if numbers.len() > 1 {
                entry["name"] = format!("port-{}", at + 1).into();
            }
            ports.push(entry);
        }
    }
    let mut spec = match ports.is_empty() {
        true => json!({"selector": selector}),
        false => json!({"ports": ports, "selector": selector}),
    };
    let affinity = cli.flags.get("session-affinity").unwrap_or_default();
    if !["", "None", "ClientIP"].contains(&affinity) {
        return Err(Failure::Own(format!("unknown session affinity: {affinity}")));
    }
    let balanced = cli.flags.get("type") == Some("LoadBalancer");
    for (flag, field) in [
        ("type", "type"),
        ("cluster-ip", "clusterIP"),
        ("load-balancer-ip", "loadBalancerIP"),
        ("session-affinity", "sessionAffinity"),
    ] {
        let given = cli.flags.get(flag).filter(|value| !value.is_empty());
        if let Some(value) = given.filter(|_| flag != "load-balancer-ip" || balanced) {
            spec[field] = value.into();
        }
    }
    if let Some(ip) = cli.flags.get("external-ip").filter(|ip| !ip.is_empty()) {
        spec["externalIPs"] = json!([ip]);
    }
    let name = cli.flags.get("name").filter(|name| !name.is_empty()).unwrap_or(&target.name);
    let name = name.get(..63).filter(|_| name == target.name).unwrap_or(name);
    let mut metadata = json!({"creationTimestamp": null, "name": name});
    let labels = match cli.flags.get("labels").filter(|text| !text.is_empty()) {
        Some(text) => read_labels(text)?,
        None => target.object["metadata"]["labels"].clone(),
    };
    if labels.as_object().is_some_and(|labels| !labels.is_empty()) {
        metadata["labels"] = labels;
    }
    Ok(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}),
    )
}
