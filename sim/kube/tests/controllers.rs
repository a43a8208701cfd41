//! The control plane's loops: what they make of manifests, and of what happens to a cluster.

#[path = "support/act.rs"]
mod act;
#[path = "controllers/cluster.rs"]
mod cluster;
#[path = "controllers/services.rs"]
mod services;

use cluster::Cluster;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{Endpoints, Event, Namespace, Node, Pod, Service, ServiceAccount, Taint};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{name_of, namespace_of};

/// `web-HASH-xxxxx` as `web-*`: what is random stays out.
fn stem(name: &str) -> String {
    let mut parts: Vec<&str> = name.split('-').collect();
    if parts.len() > 1 && parts.last().is_some_and(|part| part.len() == 5) {
        parts.pop();
        parts.push("*");
    }
    parts.join("-")
}

fn pods(cluster: &Cluster) -> String {
    let mut lines: Vec<String> = cluster
        .list::<Pod>(|pod| {
            let spec = pod.spec.clone().unwrap_or_default();
            let status = pod.status.clone().unwrap_or_default();
            let phase = status.phase.unwrap_or_default();
            let image = spec.containers[0].image.clone().unwrap_or_default();
            let line =
                format!("{} {image} {phase} {}", stem(name_of(pod)), spec.node_name.unwrap_or_default());
            line.trim_end().to_owned()
        })
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines.join("\n")
}

fn sets(cluster: &Cluster) -> String {
    cluster.list::<ReplicaSet>(|set| {
        let status = set.status.clone().unwrap_or_default();
        let revision =
            &set.metadata.annotations.clone().unwrap_or_default()["deployment.kubernetes.io/revision"];
        let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(0);
        format!(
            "{} {wanted}/{}/{} rev {revision}",
            name_of(set),
            status.replicas,
            status.ready_replicas.unwrap_or(0)
        )
    })
}

fn deployments(cluster: &Cluster) -> String {
    cluster.list::<Deployment>(|deployment| {
        let status = deployment.status.clone().unwrap_or_default();
        let conditions: Vec<String> = status
            .conditions
            .iter()
            .flatten()
            .map(|c| format!("{}={}({})", c.type_, c.status, c.reason.clone().unwrap_or_default()))
            .collect();
        format!(
            "{} ready {} updated {} available {} {}",
            name_of(deployment),
            status.ready_replicas.unwrap_or(0),
            status.updated_replicas.unwrap_or(0),
            status.available_replicas.unwrap_or(0),
            conditions.join(" ")
        )
    })
}

fn events(cluster: &Cluster, about: &str) -> String {
    let about = about.to_owned();
    let all = cluster.list::<Event>(move |event| {
        if event.involved_object.kind.as_deref() != Some(&about) {
            return String::new();
        }
        format!("{}: {}", event.reason.clone().unwrap_or_default(), event.message.clone().unwrap_or_default())
    });
    all.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

fn deployment(replicas: u32, image: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, spec: {{replicas: {replicas}, selector: \
         {{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, \
         image: {image}}}]}}}}}}}}"
    )
}

#[test]
fn a_deployment_is_made_scaled_and_rolled() {
    let mut cluster = Cluster::new(2);
    cluster.apply(&deployment(4, "nginx"));
    cluster.run(2);
    insta::assert_snapshot!(pods(&cluster), @r#"
    web-668fcd8c74-* nginx Running n1
    web-668fcd8c74-* nginx Running n1
    web-668fcd8c74-* nginx Running n2
    web-668fcd8c74-* nginx Running n2
    "#);
    insta::assert_snapshot!(sets(&cluster), @"web-668fcd8c74 4/4/4 rev 1");
    insta::assert_snapshot!(deployments(&cluster), @"web ready 4 updated 4 available 4 Available=True(MinimumReplicasAvailable) Progressing=True(NewReplicaSetAvailable)");
    cluster.modify::<Deployment>("web", |web| web.spec.as_mut().expect("it has one").replicas = Some(2));
    cluster.run(2);
    cluster.modify::<Deployment>("web", |web| {
        web.spec.as_mut().expect("it has one").template.spec.as_mut().expect("and that too").containers[0]
            .image = Some("httpd".to_owned());
    });
    cluster.run(2);
    insta::assert_snapshot!(pods(&cluster), @r#"
    web-6bdccb9894-* httpd Running n1
    web-6bdccb9894-* httpd Running n2
    "#);
    insta::assert_snapshot!(sets(&cluster), @r#"
    web-668fcd8c74 0/0/0 rev 1
    web-6bdccb9894 2/2/2 rev 2
    "#);
    insta::assert_snapshot!(deployments(&cluster), @"web ready 2 updated 2 available 2 Available=True(MinimumReplicasAvailable) Progressing=True(NewReplicaSetAvailable)");
    insta::assert_snapshot!(events(&cluster, "Deployment"), @r#"
    ScalingReplicaSet: Scaled up replica set web-668fcd8c74 to 4
    ScalingReplicaSet: Scaled down replica set web-668fcd8c74 to 2 from 4
    ScalingReplicaSet: Scaled up replica set web-6bdccb9894 to 1
    ScalingReplicaSet: Scaled down replica set web-668fcd8c74 to 1 from 2
    ScalingReplicaSet: Scaled up replica set web-6bdccb9894 to 2 from 1
    ScalingReplicaSet: Scaled down replica set web-668fcd8c74 to 0 from 1
    "#);
    cluster.delete::<Deployment>("web");
    cluster.run(2);
    assert_eq!((pods(&cluster), sets(&cluster)), (String::new(), String::new()));
}

#[test]
fn a_daemon_set_is_on_each_node() {
    let mut cluster = Cluster::new(2);
    cluster.apply(
        "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {selector: {matchLabels: {app: agent}}, \
         template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: c, image: busybox}]}}}}",
    );
    cluster.run(2);
    insta::assert_snapshot!(pods(&cluster), @r#"
    agent-* busybox Running n1
    agent-* busybox Running n2
    "#);
    cluster.join(3);
    cluster.run(2);
    cluster.modify::<DaemonSet>("agent", |set| {
        set.spec.as_mut().expect("it has one").template.spec.as_mut().expect("and that too").containers[0]
            .image = Some("alpine".to_owned());
    });
    cluster.run(2);
    insta::assert_snapshot!(pods(&cluster), @r#"
    agent-* alpine Running n1
    agent-* alpine Running n2
    agent-* alpine Running n3
    "#);
    let names = cluster.list::<Pod>(|pod| name_of(pod).to_owned());
    cluster.delete::<Pod>(names.lines().next().expect("there are some"));
    cluster.run(2);
    let line = |set: &DaemonSet| {
        let status = set.status.clone().unwrap_or_default();
        format!(
            "{} {} {:?}",
            status.desired_number_scheduled, status.number_ready, status.updated_number_scheduled
        )
    };
    insta::assert_snapshot!(cluster.list(line), @"3 3 Some(3)");
}

#[test]
fn nodes_get_subnets_in_the_order_in_which_they_join() {
    let mut cluster = Cluster::new(0);
    cluster.join(9);
    cluster.join(2);
    cluster.run(1);
    let line = |node: &Node| {
        format!("{} {}", name_of(node), node.spec.clone().unwrap_or_default().pod_cidr.unwrap_or_default())
    };
    insta::assert_snapshot!(cluster.list(line), @r#"
    n2 10.244.1.0/24
    n9 10.244.0.0/24
    "#);
}

#[test]
fn a_stateful_set_goes_one_by_one() {
    let mut cluster = Cluster::new(2);
    let set = |replicas: u32, image: &str| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: db}}, spec: {{clusterIP: None, selector: {{app: db}}, ports: [{{port: 80}}]}}}}\n---\n\
             {{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: db}}, spec: {{serviceName: db, replicas: {replicas}, \
             selector: {{matchLabels: {{app: db}}}}, template: {{metadata: {{labels: {{app: db}}}}, spec: {{containers: [{{name: c, \
             image: {image}}}]}}}}}}}}"
        )
    };
    cluster.apply(&set(3, "one"));
    cluster.run(1);
    cluster.modify::<StatefulSet>("db", |set| {
        let spec = set.spec.as_mut().expect("it has one");
        spec.replicas = Some(2);
        spec.template.spec.as_mut().expect("and that too").containers[0].image = Some("two".to_owned());
    });
    cluster.run(1);
    insta::assert_snapshot!(pods(&cluster), @r#"
    db-0 two Running n1
    db-1 two Running n2
    "#);
    insta::assert_snapshot!(slices(&cluster, "db"), @r#"
    db-* ports 80
      10.244.2.3 n2 ready serving hostname db-1
      10.244.1.4 n1 ready serving hostname db-0
    "#);
    insta::assert_snapshot!(stems(&events(&cluster, "StatefulSet")), @r#"
    SuccessfulCreate: create Pod db-0 in StatefulSet db successful
    SuccessfulCreate: create Pod db-1 in StatefulSet db successful
    SuccessfulCreate: create Pod db-2 in StatefulSet db successful
    SuccessfulDelete: delete Pod db-2 in StatefulSet db successful
    SuccessfulDelete: delete Pod db-1 in StatefulSet db successful
    SuccessfulDelete: delete Pod db-0 in StatefulSet db successful
    "#);
    let line = |set: &StatefulSet| {
        let status = set.status.clone().unwrap_or_default();
        format!(
            "{} ready {:?} current {:?} updated {:?} same {}",
            status.replicas,
            status.ready_replicas,
            status.current_replicas,
            status.updated_replicas,
            status.current_revision == status.update_revision
        )
    };
    insta::assert_snapshot!(cluster.list(line), @"2 ready Some(2) current Some(2) updated Some(2) same true");
}

/// Each word's random end left out.
fn stems(text: &str) -> String {
    let line = |line: &str| line.split(' ').map(stem).collect::<Vec<_>>().join(" ") + "\n";
    text.lines().map(line).collect()
}

fn slices(cluster: &Cluster, service: &str) -> String {
    let service = Some(service.to_owned());
    let all = cluster.list::<EndpointSlice>(move |slice| {
        if slice.metadata.labels.as_ref().and_then(|labels| labels.get("kubernetes.io/service-name").cloned())
            != service
        {
            return String::new();
        }
        let ports: Vec<String> =
            slice.ports.iter().flatten().map(|port| port.port.unwrap_or(0).to_string()).collect();
        let endpoints = slice.endpoints.iter().map(|endpoint| {
            let conditions = endpoint.conditions.clone().unwrap_or_default();
            let flag = |name: &str, value: Option<bool>| {
                if value == Some(true) { format!(" {name}") } else { String::new() }
            };
            format!(
                "\n  {} {}{}{}{}{}",
                endpoint.addresses.join(","),
                endpoint.node_name.clone().unwrap_or_default(),
                flag("ready", conditions.ready),
                flag("serving", conditions.serving),
                flag("terminating", conditions.terminating),
                endpoint.hostname.clone().map_or(String::new(), |name| format!(" hostname {name}"))
            )
        });
        format!("{} ports {}{}", stem(name_of(slice)), ports.join(","), endpoints.collect::<String>())
    });
    all.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

fn endpoints(cluster: &Cluster) -> String {
    let list = |addresses: &Option<Vec<k8s_openapi::api::core::v1::EndpointAddress>>| -> String {
        addresses.iter().flatten().map(|address| address.ip.clone()).collect::<Vec<_>>().join(",")
    };
    cluster.list::<Endpoints>(|endpoints| {
        let subsets = endpoints.subsets.iter().flatten().map(|subset| {
            let ports: Vec<String> =
                subset.ports.iter().flatten().map(|port| port.port.to_string()).collect();
            format!(
                " [{}] not ready [{}] ports {}",
                list(&subset.addresses),
                list(&subset.not_ready_addresses),
                ports.join(",")
            )
        });
        format!("{}{}", name_of(endpoints), subsets.collect::<String>())
    })
}

const WEB: &str = "{apiVersion: v1, kind: Service, metadata: {name: web, labels: {team: a}}, spec: {selector: {app: web}, \
                   ports: [{port: 80, targetPort: 8080}]}}";

#[test]
fn endpoints_follow_pods() {
    let mut cluster = Cluster::new(2);
    cluster.apply(WEB);
    cluster.run(1);
    insta::assert_snapshot!(slices(&cluster, "web"), @"web-* ports");
    cluster.apply(&deployment(2, "nginx"));
    cluster.run(1);
    insta::assert_snapshot!(slices(&cluster, "web"), @r#"
    web-* ports 8080
      10.244.1.2 n1 ready serving
      10.244.2.2 n2 ready serving
    "#);
    // Another label: the pod is no longer the ReplicaSet's nor the Service's.
    let first =
        cluster.list::<Pod>(|pod| name_of(pod).to_owned()).lines().next().expect("there are two").to_owned();
    cluster.modify::<Pod>(&first, |pod| {
        pod.metadata.labels.as_mut().expect("it has some").insert("app".to_owned(), "other".to_owned());
    });
    cluster.run(1);
    insta::assert_snapshot!(pods(&cluster), @r#"
    web-668fcd8c74-* nginx Running n1
    web-668fcd8c74-* nginx Running n1
    web-668fcd8c74-* nginx Running n2
    "#);
    insta::assert_snapshot!(endpoints(&cluster), @"web [10.244.1.3,10.244.2.2] not ready [] ports 8080");
    // One that isn't ready, and a Service whose Endpoints are written by hand.
    cluster.apply(&deployment(3, "broken"));
    cluster.apply(
        "{apiVersion: v1, kind: Endpoints, metadata: {name: outside}, subsets: [{addresses: [{ip: 192.0.2.1}, {ip: 192.0.2.2}], \
         ports: [{port: 5432}]}]}\n---\n{apiVersion: v1, kind: Service, metadata: {name: outside}, spec: {ports: [{port: 5432}]}}",
    );
    cluster.run(1);
    insta::assert_snapshot!(endpoints(&cluster), @r#"
    outside [192.0.2.1,192.0.2.2] not ready [] ports 5432
    web [10.244.1.3,10.244.2.2,10.244.2.3] not ready [10.244.1.4] ports 8080
    "#);
    insta::assert_snapshot!(slices(&cluster, "outside"), @r#"
    outside-* ports 5432
      192.0.2.1  ready
      192.0.2.2  ready
    "#);
    insta::assert_snapshot!(deployments(&cluster), @"web ready 3 updated 1 available 3 Available=True(MinimumReplicasAvailable) Progressing=True(ReplicaSetUpdated)");
    cluster.delete::<Service>("web");
    cluster.delete::<Endpoints>("outside");
    cluster.run(1);
    assert_eq!(
        (endpoints(&cluster), slices(&cluster, "web"), slices(&cluster, "outside")),
        Default::default()
    );
}

#[test]
fn a_silent_node_loses_its_pods() {
    let mut cluster = Cluster::new(2);
    cluster.apply(WEB);
    cluster.apply(&deployment(2, "nginx"));
    cluster.run(1);
    cluster.stop("kubelet-n2");
    cluster.run(60);
    insta::assert_snapshot!(endpoints(&cluster), @"web [10.244.1.2] not ready [10.244.2.2] ports 8080");
    let line = |node: &Node| {
        let taints = node.spec.clone().unwrap_or_default().taints.unwrap_or_default();
        let taints: Vec<String> =
            taints.iter().map(|taint| format!(" {}:{}", taint.key, taint.effect)).collect();
        format!("{}{}", name_of(node), taints.concat())
    };
    insta::assert_snapshot!(cluster.list(line), @r#"
    n1
    n2 node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute
    "#);
    cluster.run(300);
    insta::assert_snapshot!(pods(&cluster), @r#"
    web-668fcd8c74-* nginx Running n1
    web-668fcd8c74-* nginx Running n1
    web-668fcd8c74-* nginx Running n2
    "#);
    insta::assert_snapshot!(events(&cluster, "Node"), @"NodeNotReady: Node n2 status is now: NodeNotReady");
    cluster.act(|sys| {
        kube::api::finalize::<Node>(sys, "", "n2");
    });
    cluster.run(50);
    insta::assert_snapshot!(pods(&cluster), @r#"
    web-668fcd8c74-* nginx Running n1
    web-668fcd8c74-* nginx Running n1
    "#);
}

#[test]
fn a_pod_that_fits_nowhere_says_why() {
    let mut cluster = Cluster::new(3);
    cluster.act(|sys| {
        kube::api::modify::<Node>(sys, "", "n1", |node| {
            let taints = node.spec.get_or_insert_default().taints.get_or_insert_default();
            taints.push(Taint {
                key: "node-role.kubernetes.io/control-plane".to_owned(),
                effect: "NoSchedule".to_owned(),
                ..Taint::default()
            });
        })
        .expect("the node is there");
    });
    let pod = |name: &str, spec: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: {name}}}}}, spec: {{containers: [{{name: c, image: i{spec}\n---\n"
        )
    };
    let away = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, \
                labelSelector: {matchLabels: {app: port}}}]}}";
    cluster.apply(
        &[
            pod("port", ", ports: [{containerPort: 80, hostPort: 80}]}]}}"),
            pod("same", ", ports: [{containerPort: 80, hostPort: 80}]}], nodeName: n2}}"),
            pod("big", ", resources: {requests: {cpu: 3}}}]}}"),
            pod("picky", "}], nodeSelector: {disk: ssd}}}"),
            pod("shy", &format!("}}], {away}}}}}")),
            pod("third", ", ports: [{containerPort: 80, hostPort: 80}]}]}}"),
        ]
        .concat(),
    );
    cluster.run(1);
    insta::assert_snapshot!(pods(&cluster), @r#"
    big i Pending
    picky i Pending
    port i Running n3
    same i Running n2
    shy i Running n2
    third i Pending
    "#);
    insta::assert_snapshot!(events(&cluster, "Pod"), @r#"
    FailedScheduling: 0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.
    FailedScheduling: 0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
    Scheduled: Successfully assigned default/port to n3
    Scheduled: Successfully assigned default/shy to n2
    FailedScheduling: 0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't have free ports for the requested pod ports. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.
    "#);
    cluster.delete::<Pod>("same");
    cluster.run(1);
    insta::assert_snapshot!(pods(&cluster), @r#"
    big i Pending
    picky i Pending
    port i Running n3
    shy i Running n2
    third i Running n2
    "#);
}

#[test]
fn nothing_happens_while_the_controllers_are_stopped() {
    let mut cluster = Cluster::new(1);
    cluster.stop("kube-controller-manager");
    cluster.apply(&deployment(1, "nginx"));
    cluster.run(1);
    assert_eq!(pods(&cluster), "");
    cluster.start("kube-controller-manager --controllers=*,-replicaset-controller");
    cluster.run(1);
    assert_eq!((pods(&cluster).as_str(), sets(&cluster).lines().count()), ("", 1));
    cluster.stop("kube-controller-manager");
    cluster.start("kube-controller-manager --leader-elect");
    cluster.run(1);
    assert_eq!(pods(&cluster).lines().count(), 1);
    cluster.start("kube-controller-manager --controllers=nothing");
    cluster.run(1);
    assert_eq!(cluster.printed(), "Error: \"nothing\" is not in the list of known controllers\n");
}

#[test]
fn a_namespace_goes_with_all_that_is_in_it() {
    let mut cluster = Cluster::new(1);
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}");
    cluster.apply(&deployment(2, "nginx").replace("{name: web}", "{name: web, namespace: shop}"));
    cluster.run(1);
    let all = |cluster: &Cluster| {
        cluster.list::<Namespace>(|namespace| name_of(namespace).to_owned())
            + &cluster
                .list::<ServiceAccount>(|account| format!("{}/{}", namespace_of(account), name_of(account)))
            + &pods(cluster)
    };
    insta::assert_snapshot!(all(&cluster), @r#"
    default
    kube-node-lease
    kube-public
    kube-system
    shop
    default/default
    kube-node-lease/default
    kube-public/default
    kube-system/default
    shop/default
    web-668fcd8c74-* nginx Running n1
    web-668fcd8c74-* nginx Running n1
    "#);
    cluster.act(|sys| kube::api::delete::<Namespace>(sys, "", "shop", None).expect("it is there"));
    cluster.run(1);
    insta::assert_snapshot!(all(&cluster), @r#"
    default
    kube-node-lease
    kube-public
    kube-system
    default/default
    kube-node-lease/default
    kube-public/default
    kube-system/default
    "#);
}

#[test]
fn a_thousand_services_come_up() {
    let mut cluster = Cluster::new(10);
    let api_server = "192.168.0.1:6443".parse().expect("an address");
    cluster
        .act(move |sys| kube::controllers::kubernetes_service(sys, api_server).expect("its address is free"));
    for hundred in 0..10 {
        let manifest: Vec<String> = (hundred * 100..hundred * 100 + 100)
            .map(|number| {
                format!("{WEB}\n---\n{}", deployment(3, "nginx")).replace("web", &format!("web-{number}"))
            })
            .collect();
        cluster.apply(&manifest.join("\n---\n"));
    }
    cluster.run(2);
    let ready = slices_ready(&cluster);
    assert_eq!(ready, 3001);
}

fn slices_ready(cluster: &Cluster) -> usize {
    cluster
        .list::<EndpointSlice>(|slice| slice.endpoints.len().to_string())
        .lines()
        .filter_map(|count| count.parse::<usize>().ok())
        .sum()
}

#[test]
fn two_runs_are_the_same() {
    let run = || {
        let mut cluster = Cluster::new(3);
        cluster.apply(WEB);
        cluster.apply(&deployment(5, "nginx"));
        cluster.run(20);
        let names = cluster.list::<Pod>(|pod| format!("{:?}", pod));
        names + &cluster.list::<Event>(|event| format!("{event:?}"))
    };
    assert!(run() == run(), "two runs differ");
}

#[test]
fn a_deployment_can_leave_its_pods_as_orphans_and_another_one_adopts_them() {
    let mut cluster = Cluster::new(1);
    cluster.apply(&deployment(2, "nginx"));
    cluster.run(1);
    cluster.modify::<Deployment>("web", |web| web.metadata.finalizers = Some(vec!["orphan".to_owned()]));
    cluster.delete::<Deployment>("web");
    cluster.run(1);
    let owners =
        |set: &ReplicaSet| set.metadata.owner_references.clone().unwrap_or_default().len().to_string();
    assert_eq!(
        (deployments(&cluster).as_str(), cluster.list(owners).as_str(), pods(&cluster).lines().count()),
        ("", "0\n", 2)
    );
    let before = cluster.list::<Pod>(|pod| name_of(pod).to_owned());
    cluster.apply(&deployment(2, "nginx"));
    cluster.run(1);
    assert_eq!(
        (cluster.list(owners), cluster.list::<Pod>(|pod| name_of(pod).to_owned())),
        ("1\n".to_owned(), before)
    );
}
