//! The operations of `aws ec2`.

use serde_json::{Map, Value, json};
use tools::console::Stop;
use world::Sys;

use super::cli::{Answer, Failure, Words, unsimulated, usage};
use super::describe;
use super::ec2::{self, ApiError, Wanted};
use super::model::{Cloud, Peer, Permission, Resource, State};

/// Carries an operation out.
pub(super) fn carry_out(sys: &mut dyn Sys, operation: &str, words: &mut Words) -> Answer {
    match operation {
        "create-route" | "replace-route" => {
            let [table, cidr] = words.need(["route-table-id", "destination-cidr-block"])?;
            let targets = ["instance-id", "network-interface-id", "gateway-id"].map(|name| words.take(name));
            words.finish()?;
            let wanted = match &targets {
                [Some(id), None, None] => Wanted::Instance(id),
                [None, Some(id), None] => Wanted::Interface(id),
                [None, None, Some(id)] => Wanted::Gateway(id),
                _ => {
                    let text = "needs one of --instance-id, --network-interface-id and --gateway-id";
                    return Err(Stop::text(252, format!("hoplab: aws ec2 {operation} {text}\n")).into());
                }
            };
            if operation == "replace-route" {
                ec2::replace_route(sys, &table, &cidr, wanted)?;
                return Ok(None);
            }
            ec2::create_route(sys, &table, &cidr, wanted)?;
            Ok(Some(json!({"Return": true})))
        }
        "delete-route" => {
            let [table, cidr] = words.need(["route-table-id", "destination-cidr-block"])?;
            words.finish()?;
            ec2::delete_route(sys, &table, &cidr)?;
            Ok(None)
        }
        "modify-instance-attribute" => {
            let [id] = words.need(["instance-id"])?;
            let (check, groups) = (words.switch("source-dest-check"), words.list("groups"));
            words.finish()?;
            ec2::modify_instance(sys, &id, check, &groups)?;
            Ok(None)
        }
        "modify-network-interface-attribute" => {
            let [id] = words.need(["network-interface-id"])?;
            let (check, groups) = (words.switch("source-dest-check"), words.list("groups"));
            words.finish()?;
            ec2::modify_interface(sys, &id, check, &groups)?;
            Ok(None)
        }
        "stop-instances" => set_state(sys, words, State::Stopped, "StoppingInstances"),
        "start-instances" => set_state(sys, words, State::Running, "StartingInstances"),
        "authorize-security-group-ingress" => {
            let (group, permission) = ingress(sys, words)?;
            ec2::authorize(sys, &group, std::slice::from_ref(&permission))?;
            let rule = describe::rule(&Cloud::load(sys.store()), &group, &permission);
            Ok(Some(json!({"Return": true, "SecurityGroupRules": [rule]})))
        }
        "revoke-security-group-ingress" => {
            let (group, permission) = ingress(sys, words)?;
            ec2::revoke(sys, &group, std::slice::from_ref(&permission))?;
            let mut rule = describe::rule(&Cloud::load(sys.store()), &group, &permission);
            if let Value::Object(fields) = &mut rule {
                fields.shift_remove("GroupOwnerId");
            }
            Ok(Some(json!({"Return": true, "RevokedSecurityGroupRules": [rule]})))
        }
        _ => describe_all(&Cloud::load(sys.store()), operation, words),
    }
}

fn set_state(sys: &mut dyn Sys, words: &mut Words, state: State, key: &str) -> Answer {
    let ids = words.list("instance-ids");
    words.finish()?;
    if ids.is_empty() {
        return Err(usage("the following arguments are required: --instance-ids").into());
    }
    let mut changes = Vec::new();
    for id in ids {
        let (was, now) = (ec2::set_state(sys, &id, state)?.code(), state.code());
        let show = |(code, name): (u16, &str)| json!({"Code": code, "Name": name});
        changes.push(json!({"InstanceId": id, "CurrentState": show(now), "PreviousState": show(was)}));
    }
    let mut answer = Map::new();
    answer.insert(key.to_owned(), changes.into());
    Ok(Some(answer.into()))
}

/// The group and the permission that the words of an operation name.
fn ingress(sys: &dyn Sys, words: &mut Words) -> Result<(String, Permission), Failure> {
    let cloud = Cloud::load(sys.store());
    let group = match words.take("group-name") {
        Some(name) => {
            let found = cloud.groups.iter().find(|group| group.name == name);
            let message = format!("The security group '{name}' does not exist in default VPC 'none'");
            found.map(|group| group.id.clone()).ok_or(ApiError { code: "InvalidGroup.NotFound", message })?
        }
        None => words.take("group-id").unwrap_or_default(),
    };
    let protocol = words.take("protocol");
    let port = words.take("port");
    let (cidr, source) = (words.take("cidr"), words.take("source-group"));
    words.finish()?;
    ec2::group(&cloud, &group)?;
    let invalid = |message: String| ApiError { code: "InvalidParameterValue", message };
    let from = match (cidr, source) {
        (Some(text), None) => {
            let message = format!("CIDR block {text} is malformed");
            Peer::Cidr(text.parse().map_err(|_| invalid(message))?)
        }
        (None, Some(id)) => Peer::Group(id),
        _ => {
            return Err(
                Stop::text(252, "hoplab: aws: give one of --cidr and --source-group\n".to_owned()).into()
            );
        }
    };
    let protocol = match protocol.as_deref().unwrap_or("-1") {
        "all" | "-1" => "-1".to_owned(),
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        name @ ("tcp" | "udp" | "icmp") => name.to_owned(),
        number if number.parse::<u8>().is_ok() => number.to_owned(),
        other => {
            let message = format!("Invalid value '{other}' for IP protocol. Unknown protocol.");
            return Err(invalid(message).into());
        }
    };
    let ports = ports(&protocol, port.as_deref()).map_err(invalid)?;
    Ok((group, Permission { protocol, ports, from, description: String::new() }))
}

/// `--port`: one, or the first and the last; of ICMP type and code.
fn ports(protocol: &str, port: Option<&str>) -> Result<Option<(i32, i32)>, String> {
    let icmp = protocol == "icmp";
    match (protocol, port) {
        ("icmp", None) => Ok(Some((-1, -1))),
        ("tcp" | "udp", None) => {
            Err("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.".to_owned())
        }
        ("tcp" | "udp", Some("all" | "-1")) => Ok(Some((0, 65535))),
        ("tcp" | "udp" | "icmp", Some(text)) => {
            let unlike = || format!("Invalid value '{text}' for port range");
            let (first, last) = match text.split_once('-').filter(|(first, _)| !first.is_empty()) {
                Some((first, last)) => (first.parse().ok(), last.parse().ok()),
                None => (text.parse().ok(), if icmp { Some(-1) } else { text.parse().ok() }),
            };
            let fits = |number: &i32| (-1..=65535).contains(number);
            let range = first.filter(fits).zip(last.filter(fits)).ok_or_else(unlike)?;
            if range.0 > range.1 && !icmp { Err(unlike()) } else { Ok(Some(range)) }
        }
        _ => Ok(None),
    }
}

/// What `--filters` asks for: a field's path, and the values of which it must have one.
#[derive(Debug)]
struct Filter {
    path: &'static [&'static str],
    values: Vec<String>,
}

/// The fields that filters look at, by operation.
fn path(operation: &str, name: &str) -> Option<&'static [&'static str]> {
    let path: &[&str] = match (operation, name) {
        ("describe-instances", "instance-id") => &["Instances", "InstanceId"],
        ("describe-instances", "instance-state-name") => &["Instances", "State", "Name"],
        ("describe-instances", "private-ip-address") => &["Instances", "PrivateIpAddress"],
        ("describe-instances", "private-dns-name") => &["Instances", "PrivateDnsName"],
        ("describe-instances", "subnet-id") => &["Instances", "SubnetId"],
        ("describe-instances", "vpc-id") => &["Instances", "VpcId"],
        ("describe-route-tables", "route-table-id") => &["RouteTableId"],
        ("describe-route-tables", "association.main") => &["Associations", "Main"],
        ("describe-route-tables", "association.subnet-id") => &["Associations", "SubnetId"],
        ("describe-route-tables", "route.destination-cidr-block") => &["Routes", "DestinationCidrBlock"],
        ("describe-route-tables", "route.instance-id") => &["Routes", "InstanceId"],
        ("describe-route-tables", "route.gateway-id") => &["Routes", "GatewayId"],
        ("describe-route-tables", "route.state") => &["Routes", "State"],
        ("describe-network-interfaces", "network-interface-id") => &["NetworkInterfaceId"],
        ("describe-network-interfaces", "attachment.instance-id") => &["Attachment", "InstanceId"],
        ("describe-network-interfaces", "addresses.private-ip-address" | "private-ip-address") => {
            &["PrivateIpAddress"]
        }
        ("describe-network-interfaces", "group-id") => &["Groups", "GroupId"],
        ("describe-security-groups", "group-id") => &["GroupId"],
        ("describe-network-interfaces", "subnet-id") | ("describe-subnets", "subnet-id") => &["SubnetId"],
        ("describe-security-groups", "group-name") => &["GroupName"],
        ("describe-subnets" | "describe-vpcs", "cidr-block" | "cidr") => &["CidrBlock"],
        ("describe-subnets", "availability-zone") => &["AvailabilityZone"],
        (_, "vpc-id") => &["VpcId"],
        _ => return None,
    };
    Some(path)
}

impl Filter {
    /// `Name=x,Values=a,b`.
    fn parse(operation: &str, text: &str) -> Result<Self, Failure> {
        let Some((name, values)) = text.strip_prefix("Name=").and_then(|rest| rest.split_once(",Values="))
        else {
            let help = "the shorthand is Name=string,Values=string,string";
            return Err(Stop::text(252, format!("hoplab: aws --filters {text}: {help}\n")).into());
        };
        let path = path(operation, name)
            .ok_or_else(|| unsimulated(&format!("ec2 {operation} --filters Name={name}")))?;
        Ok(Self { path, values: values.split(',').map(str::to_owned).collect() })
    }

    fn holds(&self, described: &Value) -> bool {
        let found = |value: &Value| match value {
            Value::String(text) => self.values.contains(text),
            Value::Bool(truth) => self.values.contains(&truth.to_string()),
            _ => false,
        };
        any(described, self.path, &found)
    }
}

/// Whether a field holds what is looked for; any element of a list will do.
fn any(value: &Value, path: &[&str], found: &dyn Fn(&Value) -> bool) -> bool {
    match (value, path) {
        (Value::Array(items), _) => items.iter().any(|item| any(item, path, found)),
        (value, [first, rest @ ..]) => value.get(first).is_some_and(|inner| any(inner, rest, found)),
        (value, []) => found(value),
    }
}

/// The `describe-…` operations.
fn describe_all(cloud: &Cloud, operation: &str, words: &mut Words) -> Answer {
    let (option, key) = match operation {
        "describe-instances" => ("instance-ids", "Reservations"),
        "describe-route-tables" => ("route-table-ids", "RouteTables"),
        "describe-network-interfaces" => ("network-interface-ids", "NetworkInterfaces"),
        "describe-security-groups" => ("group-ids", "SecurityGroups"),
        "describe-subnets" => ("subnet-ids", "Subnets"),
        "describe-vpcs" => ("vpc-ids", "Vpcs"),
        _ => return Err(unsimulated(&format!("ec2 {operation}")).into()),
    };
    let ids = words.list(option);
    let filters = words.list("filters");
    words.finish()?;
    let filters: Vec<Filter> =
        filters.iter().map(|text| Filter::parse(operation, text)).collect::<Result<_, _>>()?;
    let mut found = match operation {
        "describe-instances" => {
            ids.iter().try_for_each(|id| ec2::instance(cloud, id).map(drop))?;
            pick(&cloud.instances, &ids, |each| describe::reservation(cloud, each))
        }
        "describe-route-tables" => {
            ids.iter().try_for_each(|id| ec2::route_table(cloud, id).map(drop))?;
            pick(&cloud.route_tables, &ids, |each| describe::route_table(cloud, each))
        }
        "describe-network-interfaces" => {
            ids.iter().try_for_each(|id| ec2::interface(cloud, id).map(drop))?;
            pick(&cloud.interfaces, &ids, |each| describe::interface(cloud, each))
        }
        "describe-security-groups" => {
            ids.iter().try_for_each(|id| ec2::group(cloud, id).map(drop))?;
            pick(&cloud.groups, &ids, |each| describe::group(cloud, each))
        }
        "describe-subnets" => {
            missing(&cloud.subnets, &ids, "InvalidSubnetID.NotFound", "The subnet ID")?;
            pick(&cloud.subnets, &ids, |each| describe::subnet(cloud, each))
        }
        _ => {
            missing(&cloud.vpcs, &ids, "InvalidVpcID.NotFound", "The vpc ID")?;
            pick(&cloud.vpcs, &ids, describe::vpc)
        }
    };
    found.retain(|described| filters.iter().all(|filter| filter.holds(described)));
    let mut answer = Map::new();
    answer.insert(key.to_owned(), found.into());
    Ok(Some(answer.into()))
}

fn pick<R: Resource>(all: &[std::sync::Arc<R>], ids: &[String], show: impl Fn(&R) -> Value) -> Vec<Value> {
    let wanted = all.iter().filter(|each| ids.is_empty() || ids.iter().any(|id| id == each.id()));
    wanted.map(|each| show(each)).collect()
}

fn missing<R: Resource>(
    all: &[std::sync::Arc<R>],
    ids: &[String],
    code: &'static str,
    what: &str,
) -> Result<(), ApiError> {
    match ids.iter().find(|id| !all.iter().any(|each| each.id() == id.as_str())) {
        Some(id) => Err(ApiError { code, message: format!("{what} '{id}' does not exist") }),
        None => Ok(()),
    }
}
