use super::Places;

/// What `find` points at, for each path of a text.
fn check(text: &str, paths: &[(&str, &str)]) {
    let places = Places::scan(text);
    for (path, expected) in paths {
        let found = match places.find(path) {
            Ok(span) => text[span].to_owned(),
            Err(span) => format!("only {}", &text[span]),
        };
        assert_eq!(found, *expected, "{path}");
    }
}

#[test]
fn paths_lead_through_every_kind_of_value() {
    let text = r####"#![enable(implicit_some)]
        // Scenario(acts: 1)
        Scenario(/* a /* nested */ ( */ title: "one \" (", acts: [
            Act(name: r#"a "raw" one"#, steps: [Run(on: "a", cmd: "b"), Expect(Not(Delivered(to: "x")))]),
        ],
        hosts: {"r\"1": (nics: {"eth0": 'c', "eth1": Some(-5)}), plain: Unit},
        pair: ("x", Some((y: 1..=5))), last: "v\u{e9}x: \t--b")
    "####;
    check(
        text,
        &[
            ("", "Scenario"),
            ("title", r#""one \" (""#),
            ("acts", "["),
            ("acts[0].name", r##"r#"a "raw" one"#"##),
            ("acts[0].name@2+5", "\"raw\""),
            ("acts[0].steps[0].on", "\"a\""),
            ("acts[0].steps[0].on#key", "on"),
            ("acts[0].steps[1]", "Expect"),
            ("acts[0].steps[1][0][0]", "Delivered"),
            ("acts[0].steps[1][0][0].to", "\"x\""),
            ("acts[0].steps[2]", "only ["),
            ("acts[0].stebs", "only Act"),
            (r#"hosts["r\"1"].nics["eth0"]"#, "'c'"),
            (r#"hosts["r\"1"].nics["eth1"][0]"#, "only -5"),
            (r#"hosts["r\"1"]#key"#, r#""r\"1""#),
            ("hosts.plain", "Unit"),
            ("pair[0]", "\"x\""),
            ("pair[1].y", "1..=5"),
            ("last@0+3", r"v\u{e9}x"),
            ("last@6+2", r"\t-"),
            ("last@7+99", "--b"),
            ("last@99", r#"only "v\u{e9}x: \t--b""#),
        ],
    );
}

#[test]
fn what_is_not_ron_is_left_out() {
    check("Topology(hosts: {\"a\": Host(nics: {\"e\": ", &[("hosts", "{"), ("hosts.a.nics.e", "only {")]);
    check("a(b: [1, 2 3], c: 4)", &[("b[1]", "2"), ("c", "only a")]);
    check("", &[("a", "only ")]);
    check("'", &[("a", "only ")]);
    check("\"", &[("a", "only ")]);
    check(&"[".repeat(100_000), &[("[0]", "[")]);
}
