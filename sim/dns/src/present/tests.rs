use super::*;
use crate::decode;

/// What dig 9.18.49 printed for answers of named 9.18.49: its options, the query's and the
/// answer's bytes, the text.
const RECORDED: &str = include_str!("recorded.txt");

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// What an option changes.
fn option(view: &mut View, word: &str) {
    let style = &mut view.style;
    match word {
        "+noall" => {
            let style = style.clone();
            *view = View {
                style,
                comments: false,
                question: false,
                answer: false,
                authority: false,
                additional: false,
            };
        }
        "+answer" => view.answer = true,
        "+multiline" => style.layout = Layout::Multiline,
        "+nottlid" => style.ttl = Ttl::Hidden,
        "+ttlunits" => style.ttl = Ttl::Units,
        "+noclass" => style.class = false,
        "+unknownformat" => style.unknown_format = true,
        "+expandaaaa" => style.expand_aaaa = true,
        "+split=8" => style.split = Some(8),
        _ => {}
    }
}

#[test]
fn answers_print_as_dig_prints_them() {
    let mut blocks = 0;
    for block in RECORDED.split("\n$ ") {
        let mut lines = block.trim_start_matches("$ ").lines();
        let words = lines.next().expect("its options");
        let mut message_of = || decode(&bytes(lines.next().expect("bytes"))).expect("a message");
        let (query, answer) = (message_of(), message_of());
        let expected: String = lines.map(|line| format!("{line}\n")).collect();
        let mut view = View::default();
        words.split(' ').for_each(|word| option(&mut view, word));
        let text = if words.contains("+short") {
            short(&answer, &view.style)
        } else {
            message(&answer, &view, Some(&query))
        };
        assert_eq!(text.trim_end(), expected.trim_end(), "dig {words}");
        blocks += 1;
    }
    assert_eq!(blocks, 38);
}

#[test]
fn words_name_types_and_classes() {
    for (word, text) in [
        ("a", Some("A")),
        ("Type65", Some("HTTPS")),
        ("TYPE4711", Some("TYPE4711")),
        ("typex", None),
        ("", None),
    ] {
        assert_eq!(parse_record_type(word).map(record_type).as_deref(), text, "{word}");
    }
    for (word, text) in [("in", Some("IN")), ("chaos", Some("CH")), ("class7", Some("CLASS7")), ("xx", None)]
    {
        assert_eq!(parse_class(word).map(class).as_deref(), text, "{word}");
    }
}
