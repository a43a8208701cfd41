//! The network's tests. After a change that is meant: `cargo insta review`, or
//! `INSTA_UPDATE=always cargo test` and a look at the difference.

use std::path::Path;

use lab::{Lab, Replay};
use trace::view::View;

/// The scenario holds, and its packets go the way that they went when somebody last looked. The
/// snapshots are those of `hoplab run --update scenarios`.
fn check(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.ron"));
    let (transcript, tally) = Replay::load(&file, None, None)?.transcript()?;
    insta::with_settings!({ snapshot_path => "../scenarios/snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, transcript);
    });
    assert!(tally.holds(), "{name}: {} expectations failed", tally.failed);
    Ok(())
}

#[test]
fn guests() -> Result<(), Box<dyn std::error::Error>> {
    check("guests")
}

/// One packet, without a scenario file.
#[test]
fn nobody_comes_in_from_outside() -> Result<(), Box<dyn std::error::Error>> {
    let topology = Path::new(env!("CARGO_MANIFEST_DIR")).join("topologies/office.ron");
    let mut lab = Lab::load(&topology, 0)?;
    lab.run("web", "ip route add 10.1.0.0/24 via 203.0.113.2")?;
    let ran = lab.run("web", "ping -c 1 -W 1 10.1.0.2")?;
    let dropped = "Dropped(at: \"router\", by: \"filter FORWARD policy\")".parse()?;
    assert!(ran.judge(&dropped)?.held(), "{}", ran.print(View::Summary));
    insta::assert_snapshot!(ran.print(View::Minimal));
    Ok(())
}
