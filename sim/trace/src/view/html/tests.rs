use packet::{DevId, HostId};

use super::block::Block;
use super::layout::layout;
use super::{escape, fill, for_script, policy};
use crate::view::{
    DeviceKey, DeviceSort, EdgeSort, MapDevice, MapEdge, MapHost, MapNamespace, MapSegment, NetworkMap,
    SegmentSort,
};

fn key(host: u32, dev: u32) -> DeviceKey {
    DeviceKey { host: HostId(host), dev: DevId(dev) }
}

fn device(host: u32, dev: u32, name: &str, kind: DeviceSort) -> MapDevice {
    MapDevice {
        id: key(host, dev),
        name: name.to_owned(),
        kind,
        mac: "02:00:00:00:00:01".to_owned(),
        mtu: 1500,
        up: true,
        addresses: vec![format!("10.{host}.{dev}.1/24")],
        detail: None,
    }
}

/// A host with NICs 1 to `nics`, a bridge 10 and so many namespaces with a veth pair to it.
fn host(id: u32, nics: u32, namespaces: u32) -> (MapHost, Vec<MapEdge>) {
    let mut edges = Vec::new();
    let mut devices: Vec<MapDevice> =
        (1..=nics).map(|n| device(id, n, &format!("eth{}", n - 1), DeviceSort::Nic)).collect();
    let mut spaces = Vec::new();
    if namespaces > 0 {
        devices.push(device(id, 10, "docker0", DeviceSort::Bridge));
    }
    for n in 0..namespaces {
        let (port, inner) = (20 + n, 100 + n);
        devices.push(device(id, port, &format!("veth{n}"), DeviceSort::Veth));
        edges.push(MapEdge { kind: EdgeSort::Veth, from: key(id, inner), to: key(id, port) });
        edges.push(MapEdge { kind: EdgeSort::Port, from: key(id, port), to: key(id, 10) });
        let devices = vec![device(id, inner, "eth0", DeviceSort::Veth)];
        spaces.push(MapNamespace { id: n + 1, name: format!("pod-{n}"), devices });
    }
    spaces.insert(0, MapNamespace { id: 0, name: String::new(), devices });
    (MapHost { id, name: format!("node{id}"), namespaces: spaces }, edges)
}

fn network(hosts: &[(u32, u32)], cables: &[(DeviceKey, DeviceKey)], segments: &[&[DeviceKey]]) -> NetworkMap {
    let mut map = NetworkMap::default();
    for (id, &(nics, namespaces)) in (0..).zip(hosts) {
        let (host, edges) = host(id, nics, namespaces);
        map.hosts.push(host);
        map.edges.extend(edges);
    }
    map.edges.extend(cables.iter().map(|&(from, to)| MapEdge { kind: EdgeSort::Cable, from, to }));
    map.segments.extend(segments.iter().enumerate().map(|(i, ports)| MapSegment {
        name: format!("lan{i}"),
        kind: SegmentSort::Switch,
        ports: ports.to_vec(),
    }));
    map
}

/// Everything is in the picture, nothing is on top of anything of its kind, and a device stands in
/// or on its own host's box.
#[track_caller]
fn check(map: &NetworkMap) -> Block {
    let picture = layout(map, &|_| true);
    assert_eq!(picture, layout(map, &|_| true));
    assert_eq!(picture.chips.len(), map.devices().count());
    let boxes: Vec<(i32, i32, i32, i32)> = picture
        .chips
        .iter()
        .map(|c| (c.x - c.w / 2, c.y - c.h / 2, c.w, c.h))
        .chain(picture.bars.iter().map(|b| (b.x, b.y, b.w, b.h)))
        .collect();
    let hosts: Vec<_> =
        picture.frames.iter().filter(|f| f.namespace.is_none()).map(|f| (f.x, f.y, f.w, f.h)).collect();
    for list in [&boxes, &hosts] {
        for (i, a) in list.iter().enumerate() {
            assert!(
                a.0 >= 0 && a.1 >= 0 && a.0 + a.2 <= picture.w && a.1 + a.3 <= picture.h,
                "{a:?} is outside"
            );
            for b in &list[i + 1..] {
                let apart = a.0 + a.2 <= b.0 || b.0 + b.2 <= a.0 || a.1 + a.3 <= b.1 || b.1 + b.3 <= a.1;
                assert!(apart, "{a:?} and {b:?} overlap");
            }
        }
    }
    for chip in &picture.chips {
        let home = |f: &&super::block::Frame| f.namespace.is_none() && f.host == chip.key.host.0;
        let home = picture.frames.iter().find(home).expect("its host is drawn");
        assert!((home.x..=home.x + home.w).contains(&chip.x), "{chip:?} is not in {home:?}");
        assert!((home.y..=home.y + home.h).contains(&chip.y), "{chip:?} is not in {home:?}");
    }
    picture
}

#[test]
fn hosts_stand_on_the_segment_that_joins_them() {
    let map = network(&[(1, 0), (1, 2), (1, 7)], &[], &[&[key(0, 1), key(1, 1), key(2, 1)]]);
    let picture = check(&map);
    assert!(picture.chips.iter().all(|chip| chip.y < picture.bars[0].y));
}

#[test]
fn a_line_of_routers_goes_from_left_to_right() {
    let map = network(&[(1, 1), (2, 0), (1, 1)], &[(key(0, 1), key(1, 1)), (key(1, 2), key(2, 1))], &[]);
    let picture = check(&map);
    let xs: Vec<i32> = [key(0, 1), key(1, 1), key(1, 2), key(2, 1)]
        .iter()
        .map(|&k| picture.find(k).expect("drawn").x)
        .collect();
    assert!(xs.is_sorted(), "{xs:?}");
}

#[test]
fn any_network_is_drawn() {
    check(&NetworkMap::default());
    check(&network(&[(0, 0)], &[], &[]));
    check(&network(&[(2, 9), (0, 3), (1, 0)], &[], &[]));
    // A ring, a tree, a star over two segments, a router between two of them.
    let cable = |a, b| (a, b);
    let ring = [cable(key(0, 1), key(1, 1)), cable(key(1, 2), key(2, 1)), cable(key(2, 2), key(0, 2))];
    check(&network(&[(2, 0), (2, 1), (2, 0)], &ring, &[]));
    let tree: Vec<_> = (1..7).map(|n| (key((n - 1) / 2, 2 + (n + 1) % 2), key(n, 1))).collect();
    check(&network(&[(3, 0); 7], &tree, &[]));
    let many: Vec<DeviceKey> = (0..14).map(|n| key(n, 1)).collect();
    let other: Vec<DeviceKey> = (10..16).map(|n| key(n, 2)).collect();
    check(&network(&[(2, 1); 16], &[], &[&many, &other]));
}

#[test]
fn what_is_put_into_the_page_stays_text() {
    assert_eq!(escape("<a href='x'>\"&\u{7}"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\u{fffd}");
    let data = for_script(r#"{"a":"</script><!-- &"}"#);
    assert!(!data.contains(['<', '>', '&']), "{data}");
    let read: serde_json::Value = serde_json::from_str(&data).expect("it is still JSON");
    assert_eq!(read["a"], "</script><!-- &");
    // What is filled in is not looked at again.
    let page = fill(&[("title", "{{data}}"), ("data", "secret")]);
    assert!(page.contains("<title>{{data}} · hoplab</title>"));
    assert!(policy().starts_with("default-src 'none'; style-src 'sha256-"));
}
