//! Command lines of kubectl on one host with an API server, and what they print.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use kube::api::{self, ClusterSettings};
use kube::kubectl;
use packet::NetnsId;
use trace::Off;
use world::{Outcome, Sys, World};

const CONFIG: &str = "
apiVersion: v1
kind: Config
clusters: [{name: kubernetes, cluster: {server: https://10.0.0.1:6443}}]
contexts: [{name: admin, context: {cluster: kubernetes, user: admin}}]
current-context: admin
users: [{name: admin, user: {}}]
";

/// Makes what the API server would have made, and says that it runs.
fn start_cluster(sys: &mut dyn Sys, _args: &[String]) -> i32 {
    sys.store_put(ClusterSettings::KEY, Arc::new(ClusterSettings::default()));
    sys.store_put("/cluster/apiserver", Arc::new(SocketAddr::from(([10, 0, 0, 1], 6443))));
    for name in ["default", "kube-system"] {
        let mut namespace = k8s_openapi::api::core::v1::Namespace::default();
        namespace.metadata.name = Some(name.to_owned());
        namespace.status.get_or_insert_default().phase = Some("Active".to_owned());
        api::create(sys, namespace).expect("it is valid");
    }
    0
}

fn bare() -> World {
    let mut registry = tools::registry();
    kubectl::install(&mut registry);
    registry.install_command("start-cluster", start_cluster);
    let mut world = World::new(0);
    world.add_host("master", registry);
    world
}

fn cluster() -> World {
    let mut world = bare();
    let host = world.host_by_name("master").expect("the host was made");
    world.install_file(host, "/root/.kube/config", CONFIG.as_bytes().to_vec());
    run(&mut world, "start-cluster");
    world
}

/// Runs a script; answers what it wrote, with its status at the end if that isn't 0.
fn run(world: &mut World, script: &str) -> String {
    let host = world.host_by_name("master").expect("the host was made");
    let console = world.add_console(host, false);
    world.type_input(host, console, None);
    let args = ["sh", "-c", script].map(str::to_owned).to_vec();
    let pid = world.spawn(host, NetnsId::INIT, console, args, BTreeMap::new()).expect("there is a shell");
    let mut output = Vec::new();
    let outcome = world.run_to_exit(host, pid, console, &mut Off, &mut |_, bytes| output.extend(bytes));
    let mut text = String::from_utf8_lossy(&output).into_owned();
    match outcome {
        Outcome::Exited(0) => {}
        Outcome::Exited(status) => text.push_str(&format!("[{status}]\n")),
        other => text.push_str(&format!("[{other:?}]\n")),
    }
    text
}

/// Runs `# COMMAND` lines one after another and compares what each printed.
fn check(world: &mut World, story: &str) {
    let mut found = String::new();
    for block in story.trim_start().split("# ").filter(|block| !block.is_empty()) {
        let (command, _) = block.split_once('\n').unwrap_or((block, ""));
        found.push_str(&format!("# {command}\n{}", run(world, command)));
    }
    assert_eq!(found, story.trim_start(), "\n--- found\n{found}");
}

const WEB: &str = "cat > web.yaml <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: nginx, ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports: [{port: 80, targetPort: 80}]
END
cat > pod.yaml <<END
apiVersion: v1
kind: Pod
metadata: {name: sleeper, labels: {run: sleeper}}
spec: {containers: [{name: c, image: busybox}]}
END
";

#[test]
fn objects_are_applied_listed_and_deleted() {
    let mut world = cluster();
    run(&mut world, WEB);
    check(
        &mut world,
        r#"
# kubectl get pods
No resources found in default namespace.
# kubectl apply -f web.yaml -f pod.yaml
deployment.apps/web created
service/web created
pod/sleeper created
# kubectl apply -f web.yaml
deployment.apps/web unchanged
service/web unchanged
# sed 's/replicas: 2/replicas: 3/' web.yaml | kubectl apply -f -
deployment.apps/web configured
service/web unchanged
# kubectl get deploy,svc,pod
NAME                  READY   UP-TO-DATE   AVAILABLE   AGE
deployment.apps/web   0/3     0            0           0s

NAME          TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE
service/web   ClusterIP   10.96.0.80   <none>        80/TCP    0s

NAME          READY   STATUS    RESTARTS   AGE
pod/sleeper   0/1     Pending   0          0s
# sleep 200; kubectl get po sleeper -o wide --show-labels
NAME      READY   STATUS    RESTARTS   AGE     IP       NODE     NOMINATED NODE   READINESS GATES   LABELS
sleeper   0/1     Pending   0          3m20s   <none>   <none>   <none>           <none>            run=sleeper
# kubectl get ns -L a/team
NAME          STATUS   AGE     TEAM
default       Active   3m20s   
kube-system   Active   3m20s   
# kubectl get svc -A -l '!app' --no-headers
default   web   ClusterIP   10.96.0.80   <none>   80/TCP   3m20s
# kubectl get svc web -o jsonpath='{.spec.clusterIP}:{.spec.ports[0].port}{"\n"}'
10.96.0.80:80
# kubectl get svc,deploy -o name
service/web
deployment.apps/web
# kubectl get ns -o custom-columns=NAME:.metadata.name,PHASE:.status.phase,X:.x --sort-by=.metadata.name
NAME          PHASE    X
default       Active   <none>
kube-system   Active   <none>
# kubectl delete -f web.yaml
deployment.apps "web" deleted
service "web" deleted
# kubectl delete pod --all
pod "sleeper" deleted
# kubectl get all
No resources found in default namespace.
"#,
    );
}

#[test]
fn mistakes_are_told_in_kubectl_words() {
    check(
        &mut bare(),
        "
# kubectl get pods
The connection to the server localhost:8080 was refused - did you specify the right host or port?
[1]
",
    );
    let mut world = cluster();
    run(&mut world, WEB);
    check(
        &mut world,
        r#"
# kubectl gett
error: unknown command "gett" for "kubectl"

Did you mean this?
	set
	get

[1]
# kubectl get
You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples
[1]
# kubectl get pods --foo
error: unknown flag: --foo
See 'kubectl get --help' for usage.
[1]
# kubectl get foo
error: the server doesn't have a resource type "foo"
[1]
# kubectl get pod a b
Error from server (NotFound): pods "a" not found
Error from server (NotFound): pods "b" not found
[1]
# kubectl get pod x --ignore-not-found
# kubectl get deploy x
Error from server (NotFound): deployments.apps "x" not found
[1]
# kubectl get pods -o foo
error: unable to match a printer suitable for the output format "foo", allowed formats are: custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml
[1]
# kubectl get pods -o go-template='{{.x}}'
hoplab: kubectl -o go-template is not simulated
[1]
# kubectl apply -f nothing.yaml
error: the path "nothing.yaml" does not exist
[1]
# kubectl apply
error: must specify one of -f and -k
[1]
# kubectl delete pods
error: resource(s) were provided, but no name was specified
[1]
# sed 's/targetPort/targetport/' web.yaml > wrong.yaml; kubectl apply -f wrong.yaml
deployment.apps/web created
Error from server (BadRequest): error when creating "wrong.yaml": Service in version "v1" cannot be handled as a Service: strict decoding error: unknown field "spec.ports[0].targetport"
[1]
# sed 's/targetPort: 80/nodePort: 80/' web.yaml | kubectl apply -f -
deployment.apps/web unchanged
The Service "web" is invalid: spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'
[1]
# kubectl apply -n other -f pod.yaml
Error from server (NotFound): error when creating "pod.yaml": namespaces "other" not found
[1]
"#,
    );
}
