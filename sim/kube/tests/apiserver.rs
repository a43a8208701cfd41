//! The API server's port: what HTTP requests over TLS answer to whom.

#[path = "support/shell.rs"]
mod shell;

use std::sync::Arc;

use kube::api::ClusterSettings;
use kube::cluster::{Cluster, NodePlan};
use serde_json::Value;
use world::World;

const OBJECTS: &str = "
kubectl create namespace other
kubectl create serviceaccount default; kubectl create serviceaccount robot; kubectl create serviceaccount lost
kubectl create configmap one --from-literal=a=1; kubectl label configmap one app=web
kubectl create configmap two --from-literal=b=2; kubectl create configmap three -n other
kubectl create deployment web --image=nginx
kubectl create role reader --verb=get,list,watch --resource=configmaps,deployments.apps
kubectl create role one --verb=get --resource=pods --resource-name=web
kubectl create rolebinding robots --role=reader --serviceaccount=default:robot
kubectl create rolebinding lost --role=nowhere --serviceaccount=default:lost
kubectl create clusterrolebinding jane --clusterrole=edit --user=jane
kubectl create clusterrolebinding boss --clusterrole=cluster-admin --user=boss --group=bosses
kubectl create clusterrolebinding carol --clusterrole=view --group=dev
";

/// A host with an API server at 10.0.0.1:6443.
fn server(flags: &str) -> World {
    let mut registry = tools::registry();
    kube::install_all(&mut registry);
    let mut world = World::new(0);
    let host = world.add_host("master", registry);
    let mut settings = ClusterSettings::default();
    settings.api_server.0 = [10, 0, 0, 1].into();
    let node = NodePlan { name: "master".to_owned(), control_plane: true, ..NodePlan::default() };
    let cluster = Cluster { settings: settings.clone(), nodes: vec![node], ..Cluster::default() };
    for (path, text) in cluster.files(&cluster.nodes[0]) {
        world.install_file(host, &path, text.into_bytes());
    }
    world.store_put(ClusterSettings::KEY, Arc::new(settings));
    let start = format!(
        "ip link set lo up; ip addr add 10.0.0.1/32 dev lo; ip addr add 10.0.0.2/32 dev lo
        mkdir -p $HOME/.kube; cp /etc/kubernetes/admin.conf $HOME/.kube/config
        kube-apiserver --advertise-address=10.0.0.1 --client-ca-file=/etc/kubernetes/pki/ca.crt \
        --tls-cert-file=/etc/kubernetes/pki/apiserver.crt --tls-private-key-file=/etc/kubernetes/pki/apiserver.key \
        {flags} & sleep 0.1"
    );
    assert_eq!(run(&mut world, &start).1, 0);
    world
}

fn run(world: &mut World, script: &str) -> (String, i32) {
    shell::run(world, "master", script)
}

/// What a request answers: the HTTP status, and the message of a `Status`, the names in a list, or
/// the text.
fn ask(world: &mut World, options: &str, path: &str) -> (u16, String) {
    let quoted = path.replace('\'', "");
    let (text, _) = run(
        world,
        &format!(
            "curl -sS --cacert /etc/kubernetes/pki/ca.crt -w '%{{http_code}}' {options} 'https://10.0.0.1:6443{quoted}'"
        ),
    );
    let at = text.len().saturating_sub(3);
    let (body, status) = text.split_at(at);
    let status = status.parse().unwrap_or_else(|_| panic!("{text}"));
    let Ok(value) = serde_json::from_str::<Value>(body) else { return (status, body.to_owned()) };
    let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let found = match (word("/message"), value["items"].as_array()) {
        (Some(message), _) => message,
        (None, Some(items)) => {
            let name = |item: &Value| item["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            items.iter().map(name).collect::<Vec<_>>().join(" ")
        }
        (None, None) => {
            let name = word("/metadata/name").or_else(|| word("/details/name"));
            format!("{} {}", word("/kind").unwrap_or_default(), name.unwrap_or_default())
        }
    };
    (status, found)
}

#[test]
fn who_may_do_what() {
    let mut world = server("--authorization-mode=Node,RBAC");
    let (text, status) = run(&mut world, OBJECTS);
    assert_eq!(status, 0, "{text}");
    let (robot, _) = run(&mut world, "kubectl create token robot");
    let (lost, _) = run(&mut world, "kubectl create token lost");
    let robot = format!("-H 'Authorization: Bearer {robot}'");
    let bearer = |token: &str| format!("--oauth2-bearer '{token}'");
    let (lost, bad, cut) = (bearer(&lost), bearer("nonsense"), format!("{}x'", robot.trim_end_matches('\'')));
    let admin = "--cert /etc/kubernetes/pki/apiserver-kubelet-client.crt --key \
                 /etc/kubernetes/pki/apiserver-kubelet-client.key";
    let account = |verb: &str, what: &str, place: &str| {
        format!("User \"system:serviceaccount:default:robot\" cannot {verb} resource {what} {place}")
    };
    let here = "in the namespace \"default\"";
    for (options, path, status, expected) in [
        ("", "/version", 200, "".to_owned()),
        ("", "/healthz", 200, "ok".to_owned()),
        ("", "/livez", 200, "ok".to_owned()),
        ("", "/readyz", 200, "ok".to_owned()),
        ("", "/", 403, "forbidden: User \"system:anonymous\" cannot get path \"/\"".to_owned()),
        ("", "/api", 403, "forbidden: User \"system:anonymous\" cannot get path \"/api\"".to_owned()),
        (
            "",
            "/api/v1/namespaces/default/pods",
            403,
            format!(
                "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" {here}"
            ),
        ),
        // Basic and empty bearer authentication are none.
        ("-u a:b", "/", 403, "forbidden: User \"system:anonymous\" cannot get path \"/\"".to_owned()),
        (
            "-H 'Authorization: Bearer '",
            "/",
            403,
            "forbidden: User \"system:anonymous\" cannot get path \"/\"".to_owned(),
        ),
        (&bad, "/api/v1/pods", 401, "Unauthorized".to_owned()),
        (&bad, "/version", 401, "Unauthorized".to_owned()),
        (&cut, "/version", 401, "Unauthorized".to_owned()),
        (&robot, "/api", 200, "APIVersions ".to_owned()),
        (&robot, "/api/v1/namespaces/default/configmaps", 200, "one two".to_owned()),
        (&robot, "/api/v1/namespaces/default/configmaps?labelSelector=app%3Dweb", 200, "one".to_owned()),
        (&robot, "/api/v1/namespaces/default/configmaps/one", 200, "ConfigMap one".to_owned()),
        (&robot, "/api/v1/namespaces/default/configmaps/no", 404, "configmaps \"no\" not found".to_owned()),
        (&robot, "/apis/apps/v1/namespaces/default/deployments", 200, "web".to_owned()),
        (
            &robot,
            "/api/v1/configmaps",
            403,
            format!(
                "configmaps is forbidden: {}",
                account("list", "\"configmaps\" in API group \"\"", "at the cluster scope")
            ),
        ),
        (
            &robot,
            "/api/v1/namespaces/other/configmaps",
            403,
            format!(
                "configmaps is forbidden: {}",
                account("list", "\"configmaps\" in API group \"\"", "in the namespace \"other\"")
            ),
        ),
        (
            &robot,
            "/apis/apps/v1/namespaces/default/replicasets/a",
            403,
            format!(
                "replicasets.apps \"a\" is forbidden: {}",
                account("get", "\"replicasets\" in API group \"apps\"", here)
            ),
        ),
        (
            &format!("{robot} -X DELETE"),
            "/api/v1/namespaces/default/configmaps/one",
            403,
            format!(
                "configmaps \"one\" is forbidden: {}",
                account("delete", "\"configmaps\" in API group \"\"", here)
            ),
        ),
        (
            &robot,
            "/api/v1/namespaces/default/pods/web/log",
            403,
            format!("pods \"web\" is forbidden: {}", account("get", "\"pods/log\" in API group \"\"", here)),
        ),
        (
            &lost,
            "/api/v1/namespaces/default/pods",
            403,
            format!(
                "pods is forbidden: User \"system:serviceaccount:default:lost\" cannot list resource \"pods\" in API \
                 group \"\" {here}: RBAC: role.rbac.authorization.k8s.io \"nowhere\" not found"
            ),
        ),
        (
            admin,
            "/api/v1/namespaces",
            200,
            "default kube-node-lease kube-public kube-system other".to_owned(),
        ),
        (admin, "/api/v1/configmaps", 200, "one two three".to_owned()),
        (admin, "/api/v1/nonsense", 404, "404 page not found\n".to_owned()),
        (admin, "/nonsense", 404, "404 page not found\n".to_owned()),
        (admin, "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", 200, "one reader".to_owned()),
        (
            &format!("{admin} -H 'Impersonate-User: jane'"),
            "/api/v1/namespaces/other/configmaps",
            200,
            "three".to_owned(),
        ),
        (
            &format!("{admin} -H 'Impersonate-User: eve' -H 'Impersonate-Group: dev'"),
            "/api/v1/namespaces/other/configmaps",
            200,
            "three".to_owned(),
        ),
        (
            &format!("{robot} -H 'Impersonate-User: boss'"),
            "/api/v1/configmaps",
            403,
            format!(
                "users \"boss\" is forbidden: {}",
                account("impersonate", "\"users\" in API group \"\"", "at the cluster scope")
            ),
        ),
    ] {
        let found = ask(&mut world, options, path);
        assert_eq!(
            found,
            (status, if path == "/version" && status == 200 { found.1.clone() } else { expected }),
            "{options} {path}"
        );
    }
    // A token ends with its account.
    run(&mut world, "kubectl delete serviceaccount robot; kubectl create serviceaccount robot");
    assert_eq!(ask(&mut world, &robot, "/version"), (401, "Unauthorized".to_owned()));
}

#[test]
fn objects_are_written() {
    let mut world = server("--authorization-mode=RBAC");
    run(&mut world, OBJECTS);
    let admin = "--cert /etc/kubernetes/pki/apiserver-kubelet-client.crt --key \
                 /etc/kubernetes/pki/apiserver-kubelet-client.key";
    let json = format!("{admin} -H 'Content-Type: application/json'");
    let service = |spec: &str| {
        format!(
            "-d '{{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {{\"name\": \"s\"}}, \"spec\": {spec}}}'"
        )
    };
    let good = service("{\"ports\": [{\"port\": 80}]}");
    let services = "/api/v1/namespaces/default/services";
    for (options, path, status, expected) in [
        (format!("{json} {good}"), services, 201, "Service s"),
        (format!("{json} {good}"), services, 409, "services \"s\" already exists"),
        (
            format!("{admin} {good}"),
            services,
            415,
            "the body of the request was in an unknown format - accepted media types include: application/json, \
             application/yaml, application/vnd.kubernetes.protobuf",
        ),
        (
            format!("{json} {}", service("{\"ports\": [{\"port\": 0}]}").replace("\"s\"", "\"t\"")),
            services,
            422,
            "Service \"t\" is invalid: [spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, \
             spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive]",
        ),
        (
            format!("{json} {good}"),
            "/api/v1/namespaces/nowhere/services",
            404,
            "namespaces \"nowhere\" not found",
        ),
        (
            format!("{json} {good}"),
            "/api/v1/services",
            405,
            "the server does not allow this method on the requested resource",
        ),
        (
            format!("{json} -X PUT {good}"),
            "/api/v1/namespaces/default/services/t",
            404,
            "services \"t\" not found",
        ),
        (
            format!(
                "{admin} -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{{\"data\": {{\"c\": \"3\"}}}}'"
            ),
            "/api/v1/namespaces/default/configmaps/one",
            200,
            "ConfigMap one",
        ),
        (format!("{admin} -X DELETE"), "/api/v1/namespaces/default/configmaps/two", 200, "Status two"),
        (
            format!("{admin} -X DELETE"),
            "/api/v1/namespaces/default/configmaps/two",
            404,
            "configmaps \"two\" not found",
        ),
        (
            format!("{admin} -X DELETE"),
            "/api/v1/namespaces/default/configmaps",
            405,
            "the server does not allow this method on the requested resource",
        ),
        (
            format!("{json} -d '{{}}'"),
            "/api/v1/namespaces/default/serviceaccounts/robot/token",
            201,
            "TokenRequest robot",
        ),
        (
            admin.to_string(),
            "/api/v1/namespaces/default/services/s/proxy",
            501,
            "hoplab: services/proxy is not simulated over HTTP",
        ),
    ] {
        assert_eq!(ask(&mut world, &options, path), (status, expected.to_owned()), "{options} {path}");
    }
    let (data, _) = run(&mut world, "kubectl get configmap one -o jsonpath='{.data.a} {.data.c}'");
    assert_eq!(data, "1 3");
    let (page, _) = run(
        &mut world,
        &format!(
            "curl -s {admin} --cacert /etc/kubernetes/pki/ca.crt 'https://10.0.0.1:6443/api/v1/configmaps?limit=1'"
        ),
    );
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(
        (page["kind"].as_str(), page["metadata"]["remainingItemCount"].as_i64()),
        (Some("ConfigMapList"), Some(1))
    );
    let token = page["metadata"]["continue"].as_str().unwrap();
    assert_eq!(
        ask(&mut world, admin, &format!("/api/v1/configmaps?continue={token}")),
        (200, "three".to_owned())
    );
}

#[test]
fn a_watch_tells_of_changes() {
    let mut world = server("--authorization-mode=AlwaysAllow");
    run(&mut world, OBJECTS);
    let (found, _) = run(
        &mut world,
        "TOKEN=$(kubectl create token robot)
        curl -s --cacert /etc/kubernetes/pki/ca.crt --oauth2-bearer $TOKEN 'https://10.0.0.1:6443/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=5' > log &
        sleep 1; kubectl create configmap new >/dev/null; kubectl label configmap new a=b >/dev/null; sleep 0.1
        kubectl label configmap new c=d >/dev/null; sleep 0.1; kubectl delete configmap new >/dev/null; wait; cat log",
    );
    let events: Vec<String> = found
        .lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{found}"));
            format!(
                "{} {}",
                event["type"].as_str().unwrap(),
                event["object"]["metadata"]["name"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        events,
        ["ADDED one", "ADDED two", "ADDED new", "MODIFIED new", "MODIFIED new", "DELETED new"],
        "{found}"
    );
    // Where everybody may do everything, nobody may be nameless.
    assert_eq!(ask(&mut world, "", "/version"), (401, "Unauthorized".to_owned()));
}

#[test]
fn what_curl_says_of_certificates() {
    let mut world = server("--authorization-mode=RBAC");
    run(&mut world, "http-echo -listen=10.0.0.1:8080 & sleep 0.1");
    let explained = "\nMore details here: https://curl.se/docs/sslcerts.html\n\n\
        curl failed to verify the legitimacy of the server and therefore could not\n\
        establish a secure connection to it. To learn more about this situation and\n\
        how to fix it, please visit the web page mentioned above.\n";
    let ca = "--cacert /etc/kubernetes/pki/ca.crt";
    for (line, expected, status) in [
        (
            "https://10.0.0.1:6443/healthz",
            format!("curl: (60) SSL certificate problem: unable to get local issuer certificate{explained}"),
            60,
        ),
        ("-k https://10.0.0.1:6443/healthz", "ok".to_owned(), 0),
        (&format!("{ca} https://10.0.0.1:6443/healthz"), "ok".to_owned(), 0),
        (
            &format!(
                "{ca} --resolve kubernetes.default.svc:6443:10.0.0.1 https://kubernetes.default.svc:6443/healthz"
            ),
            "ok".to_owned(),
            0,
        ),
        (&format!("{ca} --resolve master:6443:10.0.0.1 https://master:6443/healthz"), "ok".to_owned(), 0),
        (
            &format!("{ca} https://10.0.0.1:6443/healthz -w '%{{scheme}} %{{ssl_verify_result}}'"),
            "okHTTPS 0".to_owned(),
            0,
        ),
        (
            &format!("{ca} https://10.0.0.2:6443/healthz"),
            format!(
                "curl: (60) SSL: no alternative certificate subject name matches target host name '10.0.0.2'{explained}"
            ),
            60,
        ),
        ("-k https://10.0.0.2:6443/healthz", "ok".to_owned(), 0),
        (
            "--cacert nowhere https://10.0.0.1:6443/healthz",
            "curl: (77) error setting certificate file: nowhere\n".to_owned(),
            77,
        ),
        ("http://10.0.0.1:6443/healthz", "Client sent an HTTP request to an HTTPS server.\n".to_owned(), 0),
        ("http://10.0.0.1:6443/healthz -o /dev/null -w '%{http_code}'", "400".to_owned(), 0),
        (
            "https://10.0.0.1:8080/",
            "curl: (35) OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number\n".to_owned(),
            35,
        ),
    ] {
        assert_eq!(run(&mut world, &format!("curl -sS {line}")), (expected, status), "{line}");
    }
    let verbose = "\
*   Trying 10.0.0.1:6443...
* Connected to 10.0.0.1 (10.0.0.1) port 6443 (#0)
* ALPN: offers h2,http/1.1
* TLSv1.3 (OUT), TLS handshake, Client hello (1):
*  CAfile: /etc/kubernetes/pki/ca.crt
*  CApath: /etc/ssl/certs
* TLSv1.3 (IN), TLS handshake, Server hello (2):
* TLSv1.3 (IN), TLS handshake, Encrypted Extensions (8):
* TLSv1.3 (IN), TLS handshake, Request CERT (13):
* TLSv1.3 (IN), TLS handshake, Certificate (11):
* TLSv1.3 (IN), TLS handshake, CERT verify (15):
* TLSv1.3 (IN), TLS handshake, Finished (20):
* TLSv1.3 (OUT), TLS change cipher, Change cipher spec (1):
* TLSv1.3 (OUT), TLS handshake, Certificate (11):
* TLSv1.3 (OUT), TLS handshake, Finished (20):
* SSL connection using TLSv1.3 / TLS_AES_128_GCM_SHA256
* ALPN: server accepted http/1.1
* Server certificate:
*  subject: CN=kube-apiserver
*  start date: Jan  1 00:00:00 2025 GMT
*  expire date: Jan  1 00:00:00 2026 GMT
*  subjectAltName: host \"10.0.0.1\" matched cert's IP address!
*  issuer: CN=kubernetes
*  SSL certificate verify ok.
* using HTTP/1.1
> GET /healthz HTTP/1.1\r
> Host: 10.0.0.1:6443\r
> User-Agent: curl/7.88.1\r
> Accept: */*\r
> \r
* TLSv1.3 (IN), TLS handshake, Newsession Ticket (4):
< HTTP/1.1 200 OK\r
";
    let (found, _) = run(&mut world, &format!("curl -sv {ca} https://10.0.0.1:6443/healthz"));
    assert!(found.starts_with(verbose), "{found}");
}

#[test]
fn rbac_objects_that_are_wrong() {
    let mut world = server("--authorization-mode=RBAC");
    let group = "rbac.authorization.k8s.io";
    for (text, expected) in [
        (
            "kind: Role\nrules: [{apiGroups: [''], resources: [pods]}]",
            "The Role \"x\" is invalid: rules[0].verbs: Required value: verbs must contain at least one value\n",
        ),
        (
            "kind: Role\nrules: [{resources: [pods], verbs: [get]}]",
            "The Role \"x\" is invalid: rules[0].apiGroups: Required value: resource rules must supply at least one api group\n",
        ),
        (
            "kind: Role\nrules: [{apiGroups: [''], verbs: [get]}]",
            "The Role \"x\" is invalid: rules[0].resources: Required value: resource rules must supply at least one resource\n",
        ),
        (
            "kind: Role\nrules: [{nonResourceURLs: [/logs], verbs: [get]}]",
            "The Role \"x\" is invalid: rules[0].nonResourceURLs: Invalid value: []string{\"/logs\"}: namespaced rules cannot \
             apply to non-resource URLs\n",
        ),
        (
            "kind: ClusterRole\nrules: [{nonResourceURLs: [/logs], resources: [pods], verbs: [get]}]",
            "The ClusterRole \"x\" is invalid: rules[0].nonResourceURLs: Invalid value: []string{\"/logs\"}: rules cannot \
             apply to both regular resources and non-resource URLs\n",
        ),
        (
            "kind: ClusterRoleBinding\nroleRef: {kind: Role, name: z}",
            "The ClusterRoleBinding \"x\" is invalid: roleRef.kind: Unsupported value: \"Role\": supported values: \
             \"ClusterRole\"\n",
        ),
        (
            "kind: RoleBinding\nroleRef: {apiGroup: apps, kind: Role, name: z}",
            "The RoleBinding \"x\" is invalid: roleRef.apiGroup: Unsupported value: \"apps\": supported values: \
             \"rbac.authorization.k8s.io\"\n",
        ),
        (
            "kind: RoleBinding\nroleRef: {kind: Role, name: a/b}",
            "The RoleBinding \"x\" is invalid: roleRef.name: Invalid value: \"a/b\": may not contain '/'\n",
        ),
        (
            "kind: ClusterRoleBinding\nroleRef: {kind: ClusterRole, name: z}\nsubjects: [{kind: ServiceAccount, name: a}]",
            "The ClusterRoleBinding \"x\" is invalid: subjects[0].namespace: Required value\n",
        ),
        (
            "kind: RoleBinding\nroleRef: {kind: Role, name: z}\nsubjects: [{kind: Person, name: a}]",
            "The RoleBinding \"x\" is invalid: subjects[0].kind: Unsupported value: \"Person\": supported values: \
             \"ServiceAccount\", \"User\", \"Group\"\n",
        ),
        (
            "kind: RoleBinding\nroleRef: {kind: Role, name: z}\nsubjects: [{kind: ServiceAccount, name: a, apiGroup: rbac.authorization.k8s.io}]",
            "The RoleBinding \"x\" is invalid: subjects[0].apiGroup: Unsupported value: \"rbac.authorization.k8s.io\": \
             supported values: \"\"\n",
        ),
        ("kind: Role\nrulez: [x]", "unknown field \"rulez\""),
    ] {
        let script = format!(
            "cat > x.yaml <<END\napiVersion: {group}/v1\nmetadata: {{name: x}}\n{text}\nEND\nkubectl apply -f x.yaml 2>&1 | grep -v ^hoplab:"
        );
        let (found, _) = run(&mut world, &script);
        assert!(found.contains(expected), "{text}\n{found}");
    }
    run(&mut world, "kubectl create rolebinding b --role=a --user=u");
    let (found, _) =
        run(&mut world, "kubectl patch rolebinding b --type=merge -p '{\"roleRef\": {\"name\": \"c\"}}'");
    assert_eq!(
        found,
        "The RoleBinding \"b\" is invalid: roleRef: Invalid value: rbac.RoleRef{APIGroup:\"rbac.authorization.k8s.io\", \
         Kind:\"Role\", Name:\"c\"}: cannot change roleRef\n"
    );
}

#[test]
fn flags_that_the_api_server_refuses() {
    for (flags, expected) in [
        ("--authorization-mode=Maybe", "Error: authorization-mode \"Maybe\" is not a valid mode\n"),
        (
            "--authorization-mode=ABAC",
            "Error: hoplab: kube-apiserver --authorization-mode=ABAC is not simulated\n",
        ),
        (
            "--tls-cert-file=/nowhere --tls-private-key-file=/x",
            "Error: open /nowhere: no such file or directory\n",
        ),
        (
            "--tls-cert-file=/etc/kubernetes/pki/ca.crt --tls-private-key-file=/etc/kubernetes/pki/apiserver.key",
            "Error: tls: private key does not match public key\n",
        ),
        (
            "--client-ca-file=/etc/kubernetes/pki/ca.key",
            "Error: error reading /etc/kubernetes/pki/ca.key: data does not contain any valid RSA or ECDSA certificates\n",
        ),
        ("--nonsense", "Error: unknown flag: --nonsense\n"),
    ] {
        let mut world = server("");
        let line = format!(
            "kube-apiserver --advertise-address=10.0.0.2 --bind-address=10.0.0.2 --secure-port=7443 {flags}"
        );
        assert_eq!(run(&mut world, &line), (expected.to_owned(), 1), "{flags}");
    }
}
