//! `aws` on a host whose VPC has two instances, one of them with two interfaces.

#[path = "support/shell.rs"]
mod shell;

use kube::aws;
use shell::run;
use world::World;

const CONFIG: &str = r#"{
  "vpc": {"id": "vpc-1", "cidr": "10.0.0.0/16"},
  "subnets": [{"id": "subnet-1", "cidr": "10.0.1.0/24", "zone": "us-east-1a"}],
  "route_tables": [{"id": "rtb-1", "main": true}],
  "security_groups": [{"id": "sg-1", "name": "nodes", "ingress": [{"from": {"group": "sg-1"}}]}],
  "instances": [
    {"id": "i-1", "interfaces": [
      {"id": "eni-1", "subnet": "subnet-1", "address": "10.0.1.4", "nic": "a0", "groups": ["sg-1"]}
    ]},
    {"id": "i-2", "interfaces": [
      {"id": "eni-2", "subnet": "subnet-1", "address": "10.0.1.5", "nic": "b0", "groups": ["sg-1"]},
      {"id": "eni-3", "subnet": "subnet-1", "address": "10.0.1.6", "nic": "b1", "groups": ["sg-1"]}
    ]}
  ]
}"#;

/// Runs `aws ec2 …` commands one after the other; each has this status and prints this line first.
#[track_caller]
fn check(commands: &[(&str, i32, &str)]) {
    let mut registry = tools::registry();
    aws::install(&mut registry);
    let mut world = World::new(0);
    let host = world.add_host("vpc", registry);
    world.install_file(host, "/etc/vpc.json", CONFIG.as_bytes().to_vec());
    let nics = "for nic in a0 b0 b1; do ip link add $nic type dummy; done; ip link set lo up";
    let (said, _) = run(&mut world, "vpc", &format!("{nics}; vpc-router & sleep 1"));
    assert_eq!(said, "");
    for (words, want, expected) in commands {
        let (text, status) = run(&mut world, "vpc", &format!("aws ec2 {words} 2>&1"));
        let first = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
        assert_eq!((first, status), (*expected, *want), "{words}");
    }
}

#[test]
fn routes_are_made_once_led_elsewhere_and_deleted() {
    let route = "--route-table-id rtb-1 --destination-cidr-block 100.96.1.0/24";
    check(&[
        (
            &format!("replace-route {route} --instance-id i-1"),
            254,
            "An error occurred (InvalidParameterValue) when calling the ReplaceRoute operation: There is no route \
             defined for '100.96.1.0/24' in the route table. Use CreateRoute instead.",
        ),
        (&format!("create-route {route} --instance-id i-1"), 0, "{"),
        (&format!("create-route {route} --network-interface-id eni-1"), 0, "{"),
        (
            &format!("create-route {route} --network-interface-id eni-3"),
            254,
            "An error occurred (RouteAlreadyExists) when calling the CreateRoute operation: The route identified by \
             100.96.1.0/24 already exists.",
        ),
        (&format!("replace-route {route} --network-interface-id eni-3"), 0, ""),
        (
            "describe-route-tables --filters Name=route.instance-id,Values=i-2 --output text",
            0,
            "ROUTETABLES\t123456789012\trtb-1\tvpc-1",
        ),
        (&format!("delete-route {route}"), 0, ""),
        (
            &format!("delete-route {route}"),
            254,
            "An error occurred (InvalidRoute.NotFound) when calling the DeleteRoute operation: no route with \
             destination-cidr-block 100.96.1.0/24 in route table rtb-1",
        ),
        (
            "delete-route --route-table-id rtb-1 --destination-cidr-block 10.0.0.0/16",
            254,
            "An error occurred (InvalidParameterValue) when calling the DeleteRoute operation: cannot remove local \
             route 10.0.0.0/16 in route table rtb-1",
        ),
    ]);
}

#[test]
fn what_names_an_instance_needs_its_only_interface() {
    let several = "There are multiple interfaces attached to instance 'i-2'. Please specify an interface ID for the \
                   operation instead.";
    let refused = |operation: &str| {
        format!("An error occurred (InvalidInstanceID) when calling the {operation} operation: {several}")
    };
    check(&[
        (
            "create-route --route-table-id rtb-1 --destination-cidr-block 100.96.2.0/24 --instance-id i-2",
            254,
            &refused("CreateRoute"),
        ),
        (
            "modify-instance-attribute --instance-id i-2 --no-source-dest-check",
            254,
            &refused("ModifyInstanceAttribute"),
        ),
        ("modify-network-interface-attribute --network-interface-id eni-3 --no-source-dest-check", 0, ""),
        (
            "describe-instances --instance-ids i-9 --region us-east-1",
            254,
            "An error occurred \
          (InvalidInstanceID.NotFound) when calling the DescribeInstances operation: The instance ID 'i-9' does not \
          exist",
        ),
    ]);
}

#[test]
fn a_permission_is_given_once_and_taken_once() {
    let ssh = "--group-id sg-1 --protocol tcp --port 22 --cidr 0.0.0.0/0";
    check(&[
        (&format!("authorize-security-group-ingress {ssh}"), 0, "{"),
        (
            &format!("authorize-security-group-ingress {ssh}"),
            254,
            "An error occurred (InvalidPermission.Duplicate) when calling the AuthorizeSecurityGroupIngress \
             operation: the specified rule \"peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW\" already exists",
        ),
        (&format!("revoke-security-group-ingress {ssh} --output text"), 0, "True"),
        (
            &format!("revoke-security-group-ingress {ssh}"),
            254,
            "An error occurred (InvalidPermission.NotFound) when calling the RevokeSecurityGroupIngress operation: \
             The specified rule does not exist in this security group.",
        ),
        (
            "terminate-instances --instance-ids i-1",
            252,
            "hoplab: aws ec2 terminate-instances is not simulated",
        ),
        ("describe-vpcs --query Vpcs", 252, "hoplab: aws ec2 describe-vpcs --query is not simulated"),
    ]);
}

#[test]
fn a_configuration_that_names_what_is_not_there_is_refused() {
    let broken = CONFIG.replacen("\"groups\": [\"sg-1\"]", "\"groups\": [\"sg-2\"]", 1);
    for (config, expected) in [
        (broken, "vpc-router: /etc/vpc.json: there is no security group `sg-2`"),
        (
            CONFIG.replace("10.0.1.4", "10.0.2.4"),
            "vpc-router: /etc/vpc.json: 10.0.2.4 of `eni-1` is not in 10.0.1.0/24",
        ),
        (
            CONFIG.replace("rtb-1", "table"),
            "vpc-router: /etc/vpc.json: `table` is no id: rtb-… of at most 28 letters and digits",
        ),
    ] {
        let mut registry = tools::registry();
        aws::install(&mut registry);
        let mut world = World::new(0);
        let host = world.add_host("vpc", registry);
        world.install_file(host, "/etc/vpc.json", config.into_bytes());
        let (said, status) = run(&mut world, "vpc", "vpc-router 2>&1");
        assert_eq!((said.trim(), status), (expected, 1));
    }
}
