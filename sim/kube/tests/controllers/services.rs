//! What controllers make of Services: slices, hints, balancers.

use k8s_openapi::api::core::v1::{Node, NodeAddress, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::name_of;

use crate::cluster::Cluster;
use crate::{events, slices};

fn pod(name: &str, port: u16, node: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: web}}}}, spec: {{nodeName: {node}, containers: \
         [{{name: c, image: i, ports: [{{name: http, containerPort: {port}}}]}}]}}}}\n---\n"
    )
}

#[test]
fn a_named_port_is_each_pods_own() {
    let mut cluster = Cluster::new(2);
    cluster.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}}",
    );
    cluster.apply(&[pod("a", 8080, "n1"), pod("b", 9090, "n2"), pod("c", 8080, "n2")].concat());
    cluster.run(1);
    let mut lines: Vec<String> = slices(&cluster, "web").lines().map(str::to_owned).collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r#"
      10.244.1.2 n1 ready serving
      10.244.2.2 n2 ready serving
      10.244.2.3 n2 ready serving
    web-* ports 8080
    web-* ports 9090
    "#);
    // A name that no pod has: the pods are there, without a port.
    cluster.modify::<Service>("web", |web| {
        let port = &mut web.spec.as_mut().expect("it has one").ports.as_mut().expect("and ports")[0];
        port.target_port =
            Some(k8s_openapi::apimachinery::pkg::util::intstr::IntOrString::String("https".to_owned()));
    });
    cluster.run(1);
    insta::assert_snapshot!(slices(&cluster, "web").replace("ports \n", "ports\n"), @r#"
    web-* ports
      10.244.1.2 n1 ready serving
      10.244.2.2 n2 ready serving
      10.244.2.3 n2 ready serving
    "#);
}

#[test]
fn a_pod_that_goes_is_serving_until_it_is_gone() {
    let mut cluster = Cluster::new(1);
    cluster.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}",
    );
    cluster.apply(&pod("a", 80, "n1"));
    cluster.run(1);
    cluster.stop("kubelet-n1");
    cluster.delete::<Pod>("a");
    cluster.run(1);
    insta::assert_snapshot!(slices(&cluster, "web"), @r#"
    web-* ports 80
      10.244.1.2 n1 serving terminating
    "#);
}

/// Each endpoint's zone and the zones that it is hinted to.
fn hints(cluster: &Cluster) -> String {
    cluster.list::<EndpointSlice>(|slice| {
        let endpoints = slice.endpoints.iter().map(|endpoint| {
            let zones = endpoint.hints.iter().flat_map(|hints| hints.for_zones.iter().flatten());
            let zones: Vec<&str> = zones.map(|zone| zone.name.as_str()).collect();
            format!("{}:{}", endpoint.zone.clone().unwrap_or_default(), zones.join(","))
        });
        endpoints.collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn hints_follow_the_cpus_of_zones() {
    let mut cluster = Cluster::new(2);
    for (node, zone) in [("n1", "a"), ("n2", "b")] {
        cluster.act(move |sys| {
            kube::api::modify::<Node>(sys, "", node, |node| {
                let labels = node.metadata.labels.get_or_insert_default();
                labels.insert("topology.kubernetes.io/zone".to_owned(), zone.to_owned());
            })
            .expect("it is there");
        });
    }
    cluster.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: web, annotations: {service.kubernetes.io/topology-mode: Auto}}, \
         spec: {selector: {app: web}, ports: [{port: 80}]}}",
    );
    cluster.apply(&[pod("a", 80, "n1"), pod("b", 80, "n1"), pod("c", 80, "n1"), pod("d", 80, "n2")].concat());
    cluster.run(1);
    assert_eq!(hints(&cluster), "a:b a:a a:a b:b\n");
    cluster.modify::<Service>("web", |web| web.metadata.annotations = None);
    cluster.run(1);
    assert_eq!(hints(&cluster), "a: a: a: b:\n");
    let said = events(&cluster, "Service");
    assert!(
        said.contains("TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4")
    );
    assert!(said.ends_with("Topology Aware Hints has been disabled, addressType: IPv4\n"), "{said}");
}

#[test]
fn a_cloud_gives_a_balancer_and_takes_it_back() {
    let mut cluster = Cluster::new(1);
    cluster.act(|sys| {
        kube::cloud::Pool("78.11.24.0/24".parse().expect("a subnet")).publish(sys);
        kube::api::modify::<Node>(sys, "", "n1", |node| {
            let address = NodeAddress { address: "10.0.0.1".to_owned(), type_: "InternalIP".to_owned() };
            node.status.get_or_insert_default().addresses = Some(vec![address]);
        })
        .expect("it is there");
    });
    let service = |name: &str, spec: &str| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{type: LoadBalancer, selector: {{app: web}}, ports: \
             [{{port: 80}}]{spec}}}}}\n---\n"
        )
    };
    cluster.apply(
        &[
            service("any", ""),
            service("mine", ", loadBalancerIP: 78.11.24.19"),
            service("other", ", loadBalancerClass: example.com/lb"),
            service("wrong", ", loadBalancerIP: 1.2.3.4"),
        ]
        .concat(),
    );
    cluster.run(1);
    let line = |service: &Service| {
        let status = service.status.clone().unwrap_or_default().load_balancer.unwrap_or_default();
        let ingress = status.ingress.unwrap_or_default();
        let finalizers = service.metadata.finalizers.clone().unwrap_or_default();
        let shown = ingress.first().map(|entry| {
            format!("{} {}", entry.ip.clone().unwrap_or_default(), entry.ip_mode.clone().unwrap_or_default())
        });
        format!("{} {shown:?} {}", name_of(service), finalizers.len())
    };
    let pending = "any None 0\nmine None 0\nother None 0\nwrong None 0\n";
    assert_eq!(cluster.list(line), pending);
    cluster.start("cloud-controller-manager --cloud-provider=lab");
    cluster.run(1);
    insta::assert_snapshot!(cluster.list(line), @r#"
    any Some("78.11.24.1 VIP") 1
    mine Some("78.11.24.19 VIP") 1
    other None 0
    wrong None 1
    "#);
    insta::assert_snapshot!(events(&cluster, "Service"), @r#"
    EnsuringLoadBalancer: Ensuring load balancer
    EnsuredLoadBalancer: Ensured load balancer
    EnsuringLoadBalancer: Ensuring load balancer
    EnsuredLoadBalancer: Ensured load balancer
    EnsuringLoadBalancer: Ensuring load balancer
    SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: requested ip "1.2.3.4" is neither static nor assigned to the LB
    "#);
    let balancer = kube::cloud::Balancer::get(cluster.world.store(), "default/mine").expect("it was made");
    assert_eq!((balancer.targets.len(), balancer.listeners.len(), balancer.health), (1, 1, None));
    for name in ["any", "mine", "other", "wrong"] {
        cluster.delete::<Service>(name);
    }
    cluster.run(1);
    assert_eq!(
        (cluster.list(line).as_str(), kube::cloud::Balancer::list(cluster.world.store()).len()),
        ("", 0)
    );
}
