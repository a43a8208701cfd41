use super::*;

/// Zone files, and what `named-checkzone -i local example.com z` of BIND 9.18.49 said of them.
const RECORDED: &str = include_str!("recorded.txt");

#[test]
fn files_are_judged_as_bind_judges_them() {
    let origin = Name::from_ascii("example.com.").expect("a name");
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in RECORDED.split("--- ").skip(1) {
        let (name, lines) = case.split_once('\n').expect("a case");
        let (mut file, mut expected) = (String::new(), String::new());
        for line in lines.lines() {
            match line.strip_prefix("| ") {
                Some(line) => file += &format!("{}\n", line.replace("<CR>", "\r")),
                None if line == "|" => file.push('\n'),
                None if line == "<NOEOL>" => {
                    file.pop();
                }
                None => expected += &format!("{line}\n"),
            }
        }
        let report = read_zone(file.as_bytes(), "z", &origin, CheckNames::Warn);
        let lines: String = report.lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(report.zone.is_some(), expected.contains(": loaded serial"), "{name}");
        if lines != expected {
            wrong.push(format!("{name}:\n{lines}BIND:\n{expected}"));
        }
        count += 1;
    }
    assert_eq!(count, 106);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
