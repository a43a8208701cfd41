//! The API's objects as its answers show them, fields in the order of the SDK.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::model::{
    Cloud, Instance, Interface, Peer, Permission, Route, RouteTable, SecurityGroup, Subnet, Target, Vpc,
};

/// The name that the VPC's resolver gives an address.
pub fn private_name(address: Ipv4Addr) -> String {
    format!("ip-{}.ec2.internal", address.to_string().replace('.', "-"))
}

/// An id that follows from others: 17 hexadecimal digits.
pub fn derived(prefix: &str, from: &str) -> String {
    let hash = Sha256::digest(from);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}-0{}", &hex[..16])
}

fn owner(cloud: &Cloud) -> String {
    cloud.vpc().map(|vpc| vpc.owner.clone()).unwrap_or_default()
}

fn vpc_id(cloud: &Cloud) -> String {
    cloud.vpc().map(|vpc| vpc.id.clone()).unwrap_or_default()
}

fn tags(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

fn group_names(cloud: &Cloud, ids: &[String]) -> Value {
    let name =
        |id: &String| cloud.groups.iter().find(|group| group.id == *id).map(|group| group.name.clone());
    ids.iter().map(|id| json!({"GroupId": id, "GroupName": name(id)})).collect()
}

/// A route.
pub fn route(cloud: &Cloud, route: &Route) -> Value {
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    set("DestinationCidrBlock", route.destination.to_string().into());
    match &route.target {
        Target::Gateway(id) => set("GatewayId", id.clone().into()),
        Target::Interface(id) => {
            if let Some(interface) = cloud.interface(id) {
                set("InstanceId", interface.instance.clone().into());
                set("InstanceOwnerId", owner(cloud).into());
            }
            set("NetworkInterfaceId", id.clone().into());
        }
    }
    set("Origin", "CreateRoute".into());
    set("State", if cloud.is_active(route) { "active" } else { "blackhole" }.into());
    fields.into()
}

/// A route table.
pub fn route_table(cloud: &Cloud, table: &RouteTable) -> Value {
    let association = |subnet: Option<&String>| {
        let mut fields = Map::new();
        fields.insert("Main".to_owned(), subnet.is_none().into());
        let from = format!("{}{}", table.id, subnet.map_or("", String::as_str));
        fields.insert("RouteTableAssociationId".to_owned(), derived("rtbassoc", &from).into());
        fields.insert("RouteTableId".to_owned(), table.id.clone().into());
        if let Some(subnet) = subnet {
            fields.insert("SubnetId".to_owned(), subnet.clone().into());
        }
        fields.insert("AssociationState".to_owned(), json!({"State": "associated"}));
        Value::from(fields)
    };
    let main = table.main.then(|| association(None));
    let associations: Vec<Value> =
        main.into_iter().chain(table.subnets.iter().map(|id| association(Some(id)))).collect();
    let local = cloud.vpc().map(|vpc| {
        json!({
            "DestinationCidrBlock": vpc.cidr.to_string(),
            "GatewayId": "local",
            "Origin": "CreateRouteTable",
            "State": "active",
        })
    });
    let routes: Vec<Value> =
        local.into_iter().chain(table.routes.iter().map(|each| route(cloud, each))).collect();
    json!({
        "Associations": associations,
        "PropagatingVgws": [],
        "RouteTableId": table.id,
        "Routes": routes,
        "Tags": tags(&table.tags),
        "VpcId": vpc_id(cloud),
        "OwnerId": owner(cloud),
    })
}

/// The fields that an instance's answer and an interface's own share.
fn addresses(interface: &Interface) -> Value {
    let name = private_name(interface.address);
    json!([{"Primary": true, "PrivateDnsName": name, "PrivateIpAddress": interface.address.to_string()}])
}

fn attachment(interface: &Interface) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("AttachmentId".to_owned(), derived("eni-attach", &interface.id).into());
    fields.insert("DeleteOnTermination".to_owned(), true.into());
    fields.insert("DeviceIndex".to_owned(), interface.index.into());
    fields
}

/// Removes what isn't known.
fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

/// An interface in the answer about its instance.
fn interface_of_instance(cloud: &Cloud, interface: &Interface) -> Value {
    let mut attachment = attachment(interface);
    attachment.insert("Status".to_owned(), "attached".into());
    without_nulls(json!({
        "Attachment": attachment,
        "Description": "",
        "Groups": group_names(cloud, &interface.groups),
        "Ipv6Addresses": [],
        "MacAddress": interface.mac.map(|mac| mac.to_string()),
        "NetworkInterfaceId": interface.id,
        "OwnerId": owner(cloud),
        "PrivateDnsName": private_name(interface.address),
        "PrivateIpAddress": interface.address.to_string(),
        "PrivateIpAddresses": addresses(interface),
        "SourceDestCheck": interface.source_dest_check,
        "Status": "in-use",
        "SubnetId": interface.subnet,
        "VpcId": vpc_id(cloud),
        "InterfaceType": "interface",
    }))
}

/// An interface.
pub fn interface(cloud: &Cloud, interface: &Interface) -> Value {
    let mut attachment = attachment(interface);
    attachment.insert("InstanceId".to_owned(), interface.instance.clone().into());
    attachment.insert("InstanceOwnerId".to_owned(), owner(cloud).into());
    attachment.insert("Status".to_owned(), "attached".into());
    let zone = cloud.subnet(&interface.subnet).map(|subnet| subnet.zone.clone());
    let association = interface
        .public_address
        .map(|public| json!({"IpOwnerId": "amazon", "PublicDnsName": "", "PublicIp": public.to_string()}));
    without_nulls(json!({
        "Association": association,
        "Attachment": attachment,
        "AvailabilityZone": zone,
        "Description": "",
        "Groups": group_names(cloud, &interface.groups),
        "InterfaceType": "interface",
        "Ipv6Addresses": [],
        "MacAddress": interface.mac.map(|mac| mac.to_string()),
        "NetworkInterfaceId": interface.id,
        "OwnerId": owner(cloud),
        "PrivateDnsName": private_name(interface.address),
        "PrivateIpAddress": interface.address.to_string(),
        "PrivateIpAddresses": addresses(interface),
        "RequesterManaged": false,
        "SourceDestCheck": interface.source_dest_check,
        "Status": "in-use",
        "SubnetId": interface.subnet,
        "TagSet": [],
        "VpcId": vpc_id(cloud),
    }))
}

/// An instance in its reservation.
///
/// Simplified: what concerns its disks, image and processor is left out.
pub fn reservation(cloud: &Cloud, instance: &Instance) -> Value {
    let interfaces = cloud.interfaces_of(&instance.id);
    let first = interfaces.first();
    let (code, name) = instance.state.code();
    let zone = first.and_then(|first| cloud.subnet(&first.subnet)).map(|subnet| subnet.zone.clone());
    let described = without_nulls(json!({
        "NetworkInterfaces": interfaces.iter().map(|each| interface_of_instance(cloud, each)).collect::<Vec<_>>(),
        "SecurityGroups": first.map(|first| group_names(cloud, &first.groups)),
        "SourceDestCheck": first.map(|first| first.source_dest_check),
        "Tags": tags(&instance.tags),
        "InstanceId": instance.id,
        "State": {"Code": code, "Name": name},
        "PrivateDnsName": first.map(|first| private_name(first.address)),
        "InstanceType": instance.kind,
        "Placement": {"GroupName": "", "Tenancy": "default", "AvailabilityZone": zone},
        "SubnetId": first.map(|first| first.subnet.clone()),
        "VpcId": vpc_id(cloud),
        "PrivateIpAddress": first.map(|first| first.address.to_string()),
        "PublicIpAddress": first.and_then(|first| first.public_address).map(|public| public.to_string()),
    }));
    json!({
        "ReservationId": derived("r", &instance.id),
        "OwnerId": owner(cloud),
        "Groups": [],
        "Instances": [described],
    })
}

/// Permissions with one protocol and port range are shown as one.
fn permissions(cloud: &Cloud, all: &[Permission]) -> Value {
    let mut shown: Vec<(&String, Option<(i32, i32)>, Vec<&Permission>)> = Vec::new();
    for permission in all {
        let key = (&permission.protocol, permission.ports);
        match shown.iter_mut().find(|(protocol, ports, _)| (*protocol, *ports) == key) {
            Some((_, _, like)) => like.push(permission),
            None => shown.push((key.0, key.1, vec![permission])),
        }
    }
    let described = shown.into_iter().map(|(protocol, ports, like)| {
        let with = |mut fields: Value, permission: &Permission| {
            if !permission.description.is_empty() {
                fields["Description"] = permission.description.clone().into();
            }
            fields
        };
        let groups: Vec<Value> = like
            .iter()
            .filter_map(|permission| match &permission.from {
                Peer::Group(id) => Some(with(json!({"UserId": owner(cloud), "GroupId": id}), permission)),
                Peer::Cidr(_) => None,
            })
            .collect();
        let ranges: Vec<Value> = like
            .iter()
            .filter_map(|permission| match &permission.from {
                Peer::Cidr(cidr) => Some(with(json!({"CidrIp": cidr.to_string()}), permission)),
                Peer::Group(_) => None,
            })
            .collect();
        without_nulls(json!({
            "IpProtocol": protocol,
            "FromPort": ports.map(|(first, _)| first),
            "ToPort": ports.map(|(_, last)| last),
            "UserIdGroupPairs": groups,
            "IpRanges": ranges,
            "Ipv6Ranges": [],
            "PrefixListIds": [],
        }))
    });
    described.collect()
}

/// A security group.
pub fn group(cloud: &Cloud, group: &SecurityGroup) -> Value {
    let (region, owner) = (cloud.vpc().map_or("", |vpc| vpc.region.as_str()), owner(cloud));
    json!({
        "GroupId": group.id,
        "IpPermissionsEgress": [{
            "IpProtocol": "-1",
            "UserIdGroupPairs": [],
            "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
        }],
        "VpcId": vpc_id(cloud),
        "SecurityGroupArn": format!("arn:aws:ec2:{region}:{owner}:security-group/{}", group.id),
        "OwnerId": owner,
        "GroupName": group.name,
        "Description": group.description,
        "IpPermissions": permissions(cloud, &group.ingress),
    })
}

/// A permission as a rule of its own, as `authorize` answers.
pub fn rule(cloud: &Cloud, group: &str, permission: &Permission) -> Value {
    let (first, last) = permission.ports.unwrap_or((-1, -1));
    let (cidr, referenced) = match &permission.from {
        Peer::Cidr(cidr) => (Some(cidr.to_string()), None),
        Peer::Group(id) => (None, Some(json!({"GroupId": id, "UserId": owner(cloud)}))),
    };
    let description = Some(&permission.description).filter(|text| !text.is_empty());
    without_nulls(json!({
        "SecurityGroupRuleId": derived("sgr", &format!("{group}{permission:?}")),
        "GroupId": group,
        "GroupOwnerId": owner(cloud),
        "IsEgress": false,
        "IpProtocol": permission.protocol,
        "FromPort": first,
        "ToPort": last,
        "CidrIpv4": cidr,
        "ReferencedGroupInfo": referenced,
        "Description": description,
    }))
}

/// A subnet. AWS keeps five addresses of each.
pub fn subnet(cloud: &Cloud, subnet: &Subnet) -> Value {
    let used = cloud.interfaces.iter().filter(|interface| interface.subnet == subnet.id).count();
    let size = 1_u64 << (32 - subnet.cidr.prefix_len());
    let (region, owner) = (cloud.vpc().map_or("", |vpc| vpc.region.as_str()), owner(cloud));
    json!({
        "OwnerId": owner,
        "AssignIpv6AddressOnCreation": false,
        "Ipv6CidrBlockAssociationSet": [],
        "SubnetArn": format!("arn:aws:ec2:{region}:{owner}:subnet/{}", subnet.id),
        "SubnetId": subnet.id,
        "State": "available",
        "VpcId": vpc_id(cloud),
        "CidrBlock": subnet.cidr.to_string(),
        "AvailableIpAddressCount": size.saturating_sub(5).saturating_sub(used as u64),
        "AvailabilityZone": subnet.zone,
        "DefaultForAz": false,
        "MapPublicIpOnLaunch": false,
    })
}

/// A VPC.
pub fn vpc(vpc: &Vpc) -> Value {
    json!({
        "OwnerId": vpc.owner,
        "InstanceTenancy": "default",
        "CidrBlockAssociationSet": [{
            "AssociationId": derived("vpc-cidr-assoc", &vpc.id),
            "CidrBlock": vpc.cidr.to_string(),
            "CidrBlockState": {"State": "associated"},
        }],
        "IsDefault": false,
        "VpcId": vpc.id,
        "State": "available",
        "CidrBlock": vpc.cidr.to_string(),
        "DhcpOptionsId": derived("dopt", &vpc.id),
    })
}
