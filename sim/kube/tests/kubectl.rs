//! Command lines of kubectl on one host with an API server, and what they print.

#[path = "support/shell.rs"]
mod shell;

use std::net::SocketAddr;
use std::sync::Arc;

use kube::api::{self, ClusterSettings};
use kube::kubectl;
use kube::stream::{self, Ask, Piece, Stream};
use world::{Next, Program, Sys, Wait, World};

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

/// `set-status KIND NAME JSON`: what a controller or a kubelet would say of an object.
fn set_status(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let [_, kind, name, status] = args else { return 2 };
    let status: serde_json::Value = serde_json::from_str(status).expect("it is JSON");
    let resource =
        api::RESOURCES.iter().find(|resource| resource.singular == kind).expect("there is such a kind");
    let mut object = (resource.get)(sys.store(), "default", name).expect("there is such an object");
    object["status"] = status;
    (resource.update)(sys, &object).expect("it is valid");
    0
}

/// `say POD REASON MESSAGE`: an event about a pod.
fn say(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let [_, pod, reason, message] = args else { return 2 };
    let pod = api::get::<k8s_openapi::api::core::v1::Pod>(sys.store(), "default", pod)
        .expect("there is such a pod");
    let severity = api::event::Severity::Normal;
    let report = api::event::Report { severity, reason, message, component: "kubelet", host: "n1" };
    api::event::record(sys, &*pod, &report);
    0
}

/// Answers what is asked of containers as kubelets would.
#[derive(Clone, Debug, Default)]
struct Containers {
    seen: u64,
    open: Vec<(Stream, Ask)>,
}

impl Program for Containers {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let asked = stream::requests(sys.store(), self.seen);
        for (mut stream, request) in asked {
            let out = |text: String| Piece::Out(text.into_bytes());
            let container = request.container.clone().unwrap_or_default();
            match &request.ask {
                Ask::Exec { command, stdin: false, .. } => {
                    stream.send(sys, out(format!("{container} runs {}\n", command.join(" "))));
                    stream.send(sys, Piece::Exited(i32::from(command[0] == "false")));
                }
                Ask::Logs { previous: true, .. } => {
                    let why = format!(" (BadRequest): previous terminated container {container:?} not found");
                    stream.send(sys, Piece::Refused(why));
                }
                Ask::Logs { tail, .. } => {
                    stream.send(sys, out(format!("{} {container} {tail:?}\n", request.pod)));
                    stream.send(sys, Piece::Exited(0));
                }
                _ => self.open.push((stream, request.ask.clone())),
            }
        }
        self.seen = sys.store().revision();
        let mut open = Vec::new();
        for (mut stream, ask) in std::mem::take(&mut self.open) {
            let mut over = stream.is_closed(sys.store());
            for piece in stream.receive(sys.store()) {
                match piece {
                    Piece::In(bytes) if matches!(ask, Ask::PortForward { .. }) => {
                        let first =
                            String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
                        let body = format!("{ask:?} {first}\n");
                        let answer =
                            format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                        stream.send(sys, Piece::Out(answer.into_bytes()));
                    }
                    Piece::In(bytes) => stream.send(sys, Piece::Out(bytes.to_ascii_uppercase())),
                    Piece::EndOfInput => {
                        stream.send(sys, Piece::Exited(0));
                        over = true;
                    }
                    _ => {}
                }
            }
            if !over {
                open.push((stream, ask));
            }
        }
        self.open = open;
        let watch = stream::any_request(sys.store().revision());
        Next::Wait(Wait { watch: Some(watch), ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn bare() -> World {
    let mut registry = tools::registry();
    kubectl::install(&mut registry);
    registry.install_command("start-cluster", start_cluster);
    registry.install_command("set-status", set_status);
    registry.install_command("say", say);
    registry.install("containers", |_| Box::new(Containers::default()));
    let mut world = World::new(0);
    world.add_host("master", registry);
    world
}

fn cluster() -> World {
    let mut world = bare();
    let host = world.host_by_name("master").expect("the host was made");
    world.install_file(host, "/etc/kubernetes/admin.conf", CONFIG.as_bytes().to_vec());
    run(
        &mut world,
        "mkdir -p $HOME/.kube && cp /etc/kubernetes/admin.conf $HOME/.kube/config; start-cluster",
    );
    world
}

/// Runs a script; answers what it wrote, with its status at the end if that isn't 0.
fn run(world: &mut World, script: &str) -> String {
    let (mut text, status) = shell::run(world, "master", script);
    if status != 0 {
        text.push_str(&format!("[{status}]\n"));
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
hoplab: wrong.yaml:19:22: spec.ports[0].targetport
[1]
# sed 's/targetPort: 80/nodePort: 80/' web.yaml | kubectl apply -f -
deployment.apps/web unchanged
The Service "web" is invalid: spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'
hoplab: STDIN:19:32: spec.ports[0].nodePort
[1]
# kubectl apply -n other -f pod.yaml
Error from server (NotFound): error when creating "pod.yaml": namespaces "other" not found
[1]
"#,
    );
}

#[test]
fn objects_are_made_from_options() {
    check(
        &mut cluster(),
        r#"
# kubectl run web --image=nginx --port=80 --env=A=b --dry-run=client -o yaml
apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: null
  labels:
    run: web
  name: web
spec:
  containers:
  - env:
    - name: A
      value: b
    image: nginx
    name: web
    ports:
    - containerPort: 80
    resources: {}
  dnsPolicy: ClusterFirst
  restartPolicy: Always
status: {}
# kubectl create deployment web --image=nginx:1.25 --replicas=2 --dry-run=client -o yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  creationTimestamp: null
  labels:
    app: web
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  strategy: {}
  template:
    metadata:
      creationTimestamp: null
      labels:
        app: web
    spec:
      containers:
      - image: nginx:1.25
        name: nginx
        resources: {}
status: {}
# kubectl create deployment web --image=nginx --port=8080
deployment.apps/web created
# kubectl create deployment web --image=nginx
error: failed to create deployment: deployments.apps "web" already exists
[1]
# kubectl create deployment web
error: required flag(s) "image" not set
[1]
# kubectl expose deployment web --port=80 --target-port=8080 --type=NodePort --name=front
service/front exposed
# kubectl expose deployment web
service/web exposed
# kubectl get svc web -o jsonpath='{.spec.ports[0]} {.spec.selector}{"\n"}'
{"port":8080,"protocol":"TCP","targetPort":8080} {"app":"web"}
# kubectl create service nodeport np --tcp=80:8080 --node-port=30080; kubectl get svc np
service/np created
NAME   TYPE       CLUSTER-IP     EXTERNAL-IP   PORT(S)        AGE
np     NodePort   10.109.129.9   <none>        80:30080/TCP   0s
# kubectl create service clusterip ci
error: at least one tcp port specifier must be provided
[1]
# kubectl create ns team; kubectl create sa robot -n team; kubectl create cm conf --from-literal=a=1 --from-literal=b=2
namespace/team created
serviceaccount/robot created
configmap/conf created
# kubectl create cm conf
error: failed to create configmap: configmaps "conf" already exists
[1]
# kubectl create
Error: must specify one of -f and -k

[1]
# kubectl run
error: NAME is required for run
See 'kubectl run -h' for help and examples
[1]
# kubectl run x --image=nginx --rm
error: --rm should only be used for attached containers
See 'kubectl run -h' for help and examples
[1]
# kubectl run one --image=nginx --expose --port=80
pod/one created
service/one created
# kubectl describe cm conf
Name:         conf
Namespace:    default
Labels:       <none>
Annotations:  <none>

Data
====
a:
----
1
b:
----
2

BinaryData
====

Events:  <none>
"#,
    );
}

#[test]
fn objects_are_changed_in_part() {
    let mut world = cluster();
    run(&mut world, WEB);
    run(&mut world, "kubectl apply -f web.yaml");
    check(
        &mut world,
        r#"
# kubectl label deploy web tier=front; kubectl label deploy web tier=back
deployment.apps/web labeled
error: 'tier' already has a value (front), and --overwrite is false
[1]
# kubectl label deploy web tier=back --overwrite; kubectl label deploy web tier-; kubectl label deploy web tier-
deployment.apps/web labeled
deployment.apps/web unlabeled
label "tier" not found.
deployment.apps/web not labeled
# kubectl annotate svc web note='of old'; kubectl annotate svc web note=new
service/web annotated
error: --overwrite is false but found the following declared annotation(s): 'note' already has a value (of old)
[1]
# kubectl scale deploy web --replicas=5 --current-replicas=3
error: Expected replicas to be 3, was 2
[1]
# kubectl scale deploy/web --replicas=5; kubectl get deploy web -o jsonpath='{.spec.replicas}{"\n"}'
deployment.apps/web scaled
5
# kubectl patch svc web -p '{"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30080}]}}'
service/web patched
# kubectl patch svc web --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":8080}]'
service/web patched
# kubectl patch svc web --type merge -p 'spec: {externalIPs: [10.0.0.9]}'
service/web patched
# kubectl patch svc web --type merge -p 'spec: {externalIPs: [10.0.0.9]}'
service/web patched (no change)
# kubectl get svc web
NAME   TYPE       CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE
web    NodePort   10.96.0.80   10.0.0.9      80:30080/TCP   0s
# kubectl set image deploy/web web=nginx:1.25; kubectl set image deploy/web nope=x
deployment.apps/web image updated
error: unable to find container named "nope"
[1]
# kubectl set env deploy/web A=1 B=2; kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0].env}{"\n"}'
deployment.apps/web env updated
[{"name":"A","value":"1"},{"name":"B","value":"2"}]
# kubectl get deploy web -o wide
NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES       SELECTOR
web    0/5     0            0           0s    web          nginx:1.25   app=web
# kubectl rollout restart deploy web; kubectl rollout pause deploy/web; kubectl rollout pause deploy/web
deployment.apps/web restarted
deployment.apps/web paused
error: deployments.apps "web" is already paused
[1]
# kubectl rollout resume deploy/web; kubectl rollout undo deploy/web
deployment.apps/web resumed
error: no rollout history found for deployment "web"
[1]
# kubectl rollout status deploy/web --timeout=5s
Waiting for deployment spec update to be observed...
error: timed out waiting for the condition
[1]
# (sleep 1; set-status deployment web '{"observedGeneration":9,"updatedReplicas":5,"replicas":5,"availableReplicas":5}') & kubectl rollout status deploy web
Waiting for deployment spec update to be observed...
deployment "web" successfully rolled out
# kubectl wait deploy/web --for=condition=Available --timeout=1s; kubectl wait --for=jsonpath='{.status.replicas}'=5 deploy/web
error: timed out waiting for the condition on deployments.apps/web
deployment.apps/web condition met
# kubectl describe svc web
Name:                     web
Namespace:                default
Labels:                   <none>
Annotations:              note: of old
Selector:                 app=web
Type:                     NodePort
IP Family Policy:         SingleStack
IP Families:              IPv4
IP:                       10.96.0.80
IPs:                      10.96.0.80
External IPs:             10.0.0.9
Port:                     <unset>  80/TCP
TargetPort:               8080/TCP
NodePort:                 <unset>  30080/TCP
Endpoints:                <none>
Session Affinity:         None
External Traffic Policy:  Cluster
Events:                   <none>
# kubectl describe deploy web
Name:                   web
Namespace:              default
CreationTimestamp:      Wed, 01 Jan 2025 00:00:00 +0000
Labels:                 app=web
Annotations:            <none>
Selector:               app=web
Replicas:               5 desired | 5 updated | 5 total | 5 available | 0 unavailable
StrategyType:           RollingUpdate
MinReadySeconds:        0
RollingUpdateStrategy:  25% max unavailable, 25% max surge
Pod Template:
  Labels:       app=web
  Annotations:  kubectl.kubernetes.io/restartedAt: 2025-01-01T00:00:00Z
  Containers:
   web:
    Image:      nginx:1.25
    Port:       80/TCP
    Host Port:  0/TCP
    Environment:
      A:           1
      B:           2
    Mounts:        <none>
  Volumes:         <none>
  Node-Selectors:  <none>
  Tolerations:     <none>
Events:            <none>
"#,
    );
}

const NODE: &str = "cat > node.yaml <<END
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {node-role.kubernetes.io/control-plane: ''}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  nodeName: n1
  containers:
  - {name: web, image: nginx, ports: [{name: http, containerPort: 80}]}
  - {name: side, image: busybox, command: [sleep, '1000']}
END
";

#[test]
fn nodes_are_tainted_cordoned_and_drained() {
    let mut world = cluster();
    run(&mut world, NODE);
    check(
        &mut world,
        r#"
# kubectl create -f node.yaml
node/n1 created
pod/web created
# kubectl get no
NAME   STATUS    ROLES           AGE   VERSION
n1     Unknown   control-plane   0s    
# kubectl taint node n1 a=b:NoSchedule; kubectl taint nodes n1 a=c:NoSchedule; kubectl taint no n1 a-
node/n1 tainted
error: node n1 already has a taint(s) with same effect(s) and --overwrite is false
node/n1 untainted
# kubectl cordon n1; kubectl cordon n1; kubectl uncordon n1
node/n1 cordoned
node/n1 already cordoned
node/n1 uncordoned
# kubectl drain n1
node/n1 cordoned
error: unable to drain node "n1" due to error:cannot delete Pods that declare no controller (use --force to override): default/web, continuing command...
There are pending nodes to be drained:
 n1
error: cannot delete Pods that declare no controller (use --force to override): default/web
[1]
# (sleep 2; kubectl delete pod web --force --grace-period=0 2>/dev/null >/dev/null) & kubectl drain n1 --force
node/n1 already cordoned
Warning: deleting Pods that declare no controller: default/web
evicting pod default/web
pod/web evicted
node/n1 drained
# kubectl get node -o wide
NAME   STATUS                       ROLES           AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE    KERNEL-VERSION   CONTAINER-RUNTIME
n1     Unknown,SchedulingDisabled   control-plane   2s              <none>        <none>        <unknown>   <unknown>        <unknown>
"#,
    );
}

#[test]
fn containers_are_reached() {
    let mut world = cluster();
    run(&mut world, NODE);
    run(
        &mut world,
        "kubectl apply -f node.yaml; kubectl expose pod web --name=front --port=8080 --target-port=http",
    );
    run(
        &mut world,
        r#"ip link set lo up; set-status pod web '{"phase": "Running", "podIP": "10.244.0.5", "hostIP": "10.0.0.1",
            "podIPs": [{"ip": "10.244.0.5"}], "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [
            {"name": "web", "ready": true, "restartCount": 0, "image": "nginx", "imageID": "sha256:1",
             "containerID": "containerd://1", "state": {"running": {"startedAt": "2025-01-01T00:00:00Z"}}},
            {"name": "side", "ready": false, "restartCount": 2, "image": "busybox", "imageID": "sha256:2",
             "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1,
             "reason": "Error", "startedAt": "2025-01-01T00:00:00Z", "finishedAt": "2025-01-01T00:00:00Z"}}}]}'
            say web Scheduled 'Successfully assigned default/web to n1'; sleep 60; say web Started 'Started container side'
            sleep 5; say web Started 'Started container side'"#,
    );
    check(
        &mut world,
        r#"
# containers & kubectl exec web -- ls -l; kubectl exec web -c side ls; kubectl exec web -c side -- false
Defaulted container "web" out of: web, side
web runs ls -l
kubectl exec [POD] [COMMAND] is DEPRECATED and will be removed in a future version. Use kubectl exec [POD] -- [COMMAND] instead.
side runs ls
side runs false
command terminated with exit code 1
[1]
# containers & echo hello | kubectl exec -i -c web web -- cat
HELLO
# kubectl describe po web
Name:             web
Namespace:        default
Priority:         0
Service Account:  default
Node:             n1/10.0.0.1
Labels:           app=web
Annotations:      <none>
Status:           Running
IP:               10.244.0.5
IPs:
  IP:  10.244.0.5
Containers:
  web:
    Container ID:   containerd://1
    Image:          nginx
    Image ID:       sha256:1
    Port:           80/TCP
    Host Port:      0/TCP
    State:          Running
      Started:      Wed, 01 Jan 2025 00:00:00 +0000
    Ready:          True
    Restart Count:  0
    Environment:    <none>
    Mounts:
      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-c6z8d (ro)
  side:
    Container ID:  
    Image:         busybox
    Image ID:      sha256:2
    Port:          <none>
    Host Port:     <none>
    Command:
      sleep
      1000
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       Error
      Exit Code:    1
      Started:      Wed, 01 Jan 2025 00:00:00 +0000
      Finished:     Wed, 01 Jan 2025 00:00:00 +0000
    Ready:          False
    Restart Count:  2
    Environment:    <none>
    Mounts:
      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-c6z8d (ro)
Conditions:
  Type    Status
  Ready   True 
Volumes:
  kube-api-access-c6z8d:
    Type:                    Projected (a volume that contains injected data from multiple sources)
    TokenExpirationSeconds:  3607
    ConfigMapName:           kube-root-ca.crt
    ConfigMapOptional:       <nil>
    DownwardAPI:             true
QoS Class:                   BestEffort
Node-Selectors:              <none>
Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                             node.kubernetes.io/unreachable:NoExecute op=Exists for 300s
Events:
  Type    Reason     Age              From     Message
  ----    ------     ----             ----     -------
  Normal  Scheduled  65s              kubelet  Successfully assigned default/web to n1
  Normal  Started    0s (x2 over 5s)  kubelet  Started container side
# kubectl describe node n1 | tail -12
Non-terminated Pods:          (1 in total)
  Namespace                   Name    CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age
  ---------                   ----    ------------  ----------  ---------------  -------------  ---
  default                     web     0 (0%)        0 (0%)      0 (0%)           0 (0%)         65s
Allocated resources:
  (Total limits may be over 100 percent, i.e., overcommitted.)
  Resource           Requests  Limits
  --------           --------  ------
  cpu                0 (0%)    0 (0%)
  memory             0 (0%)    0 (0%)
  ephemeral-storage  0 (0%)    0 (0%)
Events:              <none>
# echo '{apiVersion: v1, kind: Endpoints, metadata: {name: front}, subsets: [{addresses: [{ip: 10.244.0.5}], ports: [{port: 80, protocol: TCP}]}]}' | kubectl apply -f -
endpoints/front created
# kubectl describe ep front
Name:         front
Namespace:    default
Labels:       <none>
Annotations:  <none>
Subsets:
  Addresses:          10.244.0.5
  NotReadyAddresses:  <none>
  Ports:
    Name     Port  Protocol
    ----     ----  --------
    <unset>  80    TCP

Events:  <none>
# kubectl get events; kubectl events --for pod/web
LAST SEEN   TYPE     REASON      OBJECT    MESSAGE
65s         Normal   Scheduled   pod/web   Successfully assigned default/web to n1
0s          Normal   Started     pod/web   Started container side
LAST SEEN         TYPE     REASON      OBJECT    MESSAGE
65s               Normal   Scheduled   Pod/web   Successfully assigned default/web to n1
0s (x2 over 5s)   Normal   Started     Pod/web   Started container side
# kubectl exec web
error: you must specify at least one command for the container
[1]
# containers & kubectl logs web --all-containers; kubectl logs web side --tail=5; kubectl logs -l app=web -c web --prefix; kubectl logs web -c nope; kubectl logs web -c web -p
web web None
web side None
web side Some(5)
[pod/web/web] web web Some(10)
error: container nope is not valid for pod web
Error from server (BadRequest): previous terminated container "web" not found
[1]
# containers & kubectl port-forward svc/front 9000:8080 & sleep 1; curl -s http://127.0.0.1:9000/path; kill %2
Forwarding from 127.0.0.1:9000 -> 80
Handling connection for 9000
PortForward { port: 80 } GET /path HTTP/1.1
# containers & (sleep 1; set-status pod x '{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}'; sleep 1; set-status pod x '{"phase":"Succeeded"}') & echo hi | kubectl run x -i --rm --image=busybox --restart=Never -- cat
If you don't see a command prompt, try pressing enter.
HI
pod "x" deleted
# containers & (sleep 1; set-status pod x '{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}'; sleep 1; set-status pod x '{"phase":"Succeeded"}') & echo hi | kubectl run x -i --rm --image=busybox --restart=Never -- cat
If you don't see a command prompt, try pressing enter.
HI
pod "x" deleted
# kubectl port-forward web
error: TYPE/NAME and list of ports are required for port-forward
See 'kubectl port-forward -h' for help and examples
[1]
# kubectl get pods -w & sleep 1; kubectl label pod web x=y; sleep 1; kubectl delete pod web --grace-period=0 --force; sleep 1; kill %1
NAME   READY   STATUS             RESTARTS      AGE
web    1/2     CrashLoopBackOff   2 (70s ago)   70s
pod/web labeled
web    1/2     CrashLoopBackOff   2 (71s ago)   71s
Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.
pod "web" force deleted
web    1/2     CrashLoopBackOff   2 (72s ago)   72s
"#,
    );
}

#[test]
fn kinds_that_are_only_kept_are_told_apart() {
    let mut world = cluster();
    run(
        &mut world,
        "cat > rbac.yaml <<END
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: flannel}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: flannel}
roleRef: {kind: ClusterRole, name: flannel}
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: flannel}
END",
    );
    check(
        &mut world,
        r#"
# kubectl apply -f rbac.yaml 2>/dev/null; kubectl apply -f rbac.yaml 2>/dev/null
clusterrole.rbac.authorization.k8s.io/flannel created
clusterrolebinding.rbac.authorization.k8s.io/flannel created
gadget.example.com/flannel created
clusterrole.rbac.authorization.k8s.io/flannel unchanged
clusterrolebinding.rbac.authorization.k8s.io/flannel unchanged
gadget.example.com/flannel unchanged
# kubectl get clusterroles; kubectl get clusterrolebinding nope
NAME      CREATED AT
flannel   2025-01-01T00:00:00Z
Error from server (NotFound): clusterrolebindings.rbac.authorization.k8s.io "nope" not found
[1]
# kubectl delete -f rbac.yaml 2>/dev/null; kubectl get clusterrole
clusterrole.rbac.authorization.k8s.io "flannel" deleted
clusterrolebinding.rbac.authorization.k8s.io "flannel" deleted
gadget.example.com "flannel" deleted
No resources found
"#,
    );
}

#[test]
fn the_client_knows_its_cluster() {
    check(
        &mut cluster(),
        r#"
# kubectl version
Client Version: v1.30.0
Kustomize Version: v5.0.4-0.20230601165947-6ce0bf390ce3
Server Version: v1.30.0
# kubectl config get-contexts; kubectl config current-context
CURRENT   NAME    CLUSTER      AUTHINFO   NAMESPACE
*         admin   kubernetes   admin      
admin
# kubectl config set-context --current --namespace=kube-system; kubectl get pods; kubectl get pods -n default
Context "admin" modified.
No resources found in kube-system namespace.
No resources found in default namespace.
# kubectl -s https://10.0.0.2:6443 get ns
The connection to the server 10.0.0.2:6443 was refused - did you specify the right host or port?
[1]
# kubectl cluster-info
Kubernetes control plane is running at https://10.0.0.1:6443

To further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.
# kubectl api-resources --api-group=apps
NAME                  SHORTNAMES   APIVERSION   NAMESPACED   KIND
controllerrevisions                apps/v1      true         ControllerRevision
daemonsets            ds           apps/v1      true         DaemonSet
deployments           deploy       apps/v1      true         Deployment
replicasets           rs           apps/v1      true         ReplicaSet
statefulsets          sts          apps/v1      true         StatefulSet
# kubectl edit pod x; kubectl top node; kubectl certificate approve x; kubectl cp a b; kubectl explain pod
hoplab: kubectl edit is not simulated
hoplab: kubectl top is not simulated
hoplab: kubectl certificate is not simulated
hoplab: kubectl cp is not simulated
hoplab: kubectl explain is not simulated
[1]
# kubectl rollout foo
error: unknown command "foo"
See 'kubectl rollout -h' for help and examples
[1]
# kubectl events
No events found in kube-system namespace.
"#,
    );
}
