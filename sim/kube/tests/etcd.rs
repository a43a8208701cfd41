//! `etcd` and `etcdctl` say what etcd 3.4's v2 API says: each line was printed by the real ones.

#[path = "support/shell.rs"]
mod shell;

use kube::etcd;
use world::World;

fn run(script: &str) -> String {
    let mut registry = tools::registry();
    etcd::install(&mut registry);
    let mut world = World::new(0);
    world.add_host("node1", registry);
    let script = format!("ip link set lo up; etcd 2>/dev/null & sleep 0.1; {{ {script}\n}} 2>&1");
    shell::run(&mut world, "node1", &script).0
}

/// Runs a transcript: lines after `$ ` are commands, those up to the next what they print.
fn check(transcript: &str) {
    let commands: Vec<&str> = transcript.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let script: String = commands.iter().map(|command| format!("echo '$ {command}'\n{command}\n")).collect();
    assert_eq!(run(&script).trim_end(), transcript.trim());
}

#[test]
fn keys_are_made_changed_and_removed() {
    check(
        r#"
$ etcdctl get /x
Error:  100: Key not found (/x) [3]
$ etcdctl set /x hello
hello
$ etcdctl get x
hello
$ etcdctl mk /x again; echo $?
Error:  105: Key already exists (/x) [4]
4
$ etcdctl mk /a/b/c 1
1
$ etcdctl mkdir /d
$ etcdctl mkdir /d
Error:  105: Key already exists (/d) [6]
$ etcdctl ls -p
/a/
/d/
/x
$ etcdctl ls --recursive -p /a
/a/b/
/a/b/c
$ etcdctl ls /x
/x
$ etcdctl ls /nope
Error:  100: Key not found (/nope) [6]
$ etcdctl get /a; echo $?
/a: is a directory
1
$ etcdctl set /a v
Error:  102: Not a file (/a) [6]
$ etcdctl set /x/y v
Error:  104: Not a directory (/x) [6]
$ etcdctl update /x there
there
$ etcdctl update /nope there
Error:  100: Key not found (/nope) [7]
$ etcdctl rm /a
Error:  102: Not a file (/a) [7]
$ etcdctl rm -r /a
$ etcdctl rmdir /d
$ etcdctl rmdir /x
PrevNode.Value: there
$ etcdctl mk /e/f 1
1
$ etcdctl rm --dir /e
Error:  108: Directory not empty (/e) [11]
$ etcdctl set /t v --ttl 2
v
$ etcdctl -o extended get /t
Key: /t
Created-Index: 12
Modified-Index: 12
TTL: 2
Index: 12

v
$ etcdctl set /s v
v
$ etcdctl set /s v2 --swap-with-value z
Error:  101: Compare failed ([z != v]) [13]
$ etcdctl set /s v2 --swap-with-index 3
Error:  101: Compare failed ([3 != 13]) [13]
$ sleep 2; etcdctl get /t
Error:  100: Key not found (/t) [14]
$ etcdctl mk --in-order /ord x; etcdctl ls /ord
x
/ord/00000000000000000015
$ echo val | etcdctl set /stdin
val

$ etcdctl -o json get /s
{"action":"get","node":{"key":"/s","value":"v","nodes":null,"createdIndex":13,"modifiedIndex":13},"prevNode":null}
$ etcdctl member list
8e9e05c52164694d: name=default peerURLs=http://localhost:2380 clientURLs=http://localhost:2379,http://localhost:4001 isLeader=true
$ etcdctl cluster-health
member 8e9e05c52164694d is healthy: got healthy result from http://localhost:2379
cluster is healthy
$ etcdctl --endpoints http://127.0.0.1:9 cluster-health 2>/dev/null; echo $?
cluster may be unhealthy: failed to list members
4
$ etcdctl set
Error:  key required
$ etcdctl bogus
No help topic for 'bogus'
$ etcdctl --peers 127.0.0.1:2379 ls
parse "127.0.0.1:2379": first path segment in URL cannot contain colon
$ etcdctl --endpoints http://127.0.0.1:1,http://127.0.0.1:3 get /x; echo $?
Error:  client: etcd cluster is unavailable or misconfigured; error #0: dial tcp 127.0.0.1:1: connect: connection refused
; error #1: dial tcp 127.0.0.1:3: connect: connection refused

error #0: dial tcp 127.0.0.1:1: connect: connection refused
error #1: dial tcp 127.0.0.1:3: connect: connection refused

2
"#,
    );
}

#[test]
fn a_watch_hears_what_happens() {
    check(
        r#"
$ (sleep 0.5; etcdctl set /w 1 >/dev/null) & etcdctl watch /w
1
$ (sleep 0.5; etcdctl rm /w >/dev/null) & etcdctl watch /w
PrevNode.Value: 1
$ etcdctl watch /w --after-index 3
1
$ (sleep 0.5; etcdctl set /d/1 1 >/dev/null; etcdctl rm /d/1 >/dev/null; etcdctl mk /d/2 v --ttl 1 >/dev/null) & timeout 5 etcdctl watch -r -f /d
[set] /d/1
1
[delete] /d/1
PrevNode.Value: 1
[create] /d/2
v
[expire] /d/2

"#,
    );
}

#[test]
fn http_answers_in_json() {
    check(
        r#"
$ curl -s http://127.0.0.1:2379/v2/keys/foo -XPUT -d value=bar
{"action":"set","node":{"key":"/foo","value":"bar","modifiedIndex":4,"createdIndex":4}}
$ curl -s http://127.0.0.1:4001/v2/keys/foo -XPUT -d value=bar2 -d prevExist=false
{"errorCode":105,"message":"Key already exists","cause":"/foo","index":4}
$ curl -s "http://127.0.0.1:2379/v2/keys/foo?prevValue=bar" -XPUT -d value=bar5
{"action":"compareAndSwap","node":{"key":"/foo","value":"bar5","modifiedIndex":5,"createdIndex":4},"prevNode":{"key":"/foo","value":"bar","modifiedIndex":4,"createdIndex":4}}
$ curl -s "http://127.0.0.1:2379/v2/keys/foo?prevExist=xx" -XPUT -d value=bar5
{"errorCode":209,"message":"Invalid field","cause":"invalid value for prevExist","index":0}
$ curl -s "http://127.0.0.1:2379/v2/keys/foo?ttl=xx" -XPUT -d value=bar5
{"errorCode":202,"message":"The given TTL in POST form is not a number","cause":"invalid value for \"ttl\"","index":0}
$ curl -s "http://127.0.0.1:2379/v2/keys/foo?wait=true&waitIndex=3"
{"action":"set","node":{"key":"/foo","value":"bar","modifiedIndex":4,"createdIndex":4}}
$ curl -s http://127.0.0.1:2379/v2/keys/queue -XPOST -d value=Job1
{"action":"create","node":{"key":"/queue/00000000000000000006","value":"Job1","modifiedIndex":6,"createdIndex":6}}
$ curl -s http://127.0.0.1:2379/v2/keys/queue/_hid -XPUT -d value=Job1 -o /dev/null; curl -s http://127.0.0.1:2379/v2/keys/
{"action":"get","node":{"dir":true,"nodes":[{"key":"/foo","value":"bar5","modifiedIndex":5,"createdIndex":4},{"key":"/queue","dir":true,"modifiedIndex":6,"createdIndex":6}]}}
$ curl -s "http://127.0.0.1:2379/v2/keys/queue?recursive=true" -XDELETE
{"action":"delete","node":{"key":"/queue","dir":true,"modifiedIndex":8,"createdIndex":6},"prevNode":{"key":"/queue","dir":true,"modifiedIndex":6,"createdIndex":6}}
$ curl -s http://127.0.0.1:2379/v2/keys/ -XDELETE
{"errorCode":107,"message":"Root is read only","cause":"/","index":8}
$ curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1:2379/v2/keys/none; echo
404
$ curl -s http://127.0.0.1:2379/bogus
404 page not found
$ curl -s http://127.0.0.1:2379/version; echo
{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}
"#,
    );
}
