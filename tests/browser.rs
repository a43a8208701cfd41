//! The page of `--format html` in a real browser: it plays, obeys the keyboard, fits a phone, and
//! runs nothing that a name, a rule's comment or a command's output brings along.
//!
//! Needs chromedriver; skipped aloud without it, unless `HOPLAB_REQUIRE_LIVE` is set.
//! `HOPLAB_SCREENSHOTS=DIR cargo test --test browser` leaves pictures of the page in DIR.

#![allow(clippy::expect_used, clippy::print_stderr, clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod driver;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use driver::Browser;
use serde_json::json;
use trace::Recorder;
use trace::view::{Limits, Packets, Recording, RecordingBuilder, Typed, html};

const RIGHT: char = '\u{e014}';
const LEFT: char = '\u{e012}';
const HOME: char = '\u{e011}';
const END: char = '\u{e010}';

#[test]
fn the_page_works_in_a_browser() {
    let Some(browser) = Browser::start() else {
        assert!(std::env::var_os("HOPLAB_REQUIRE_LIVE").is_none(), "this test needs chromedriver");
        eprintln!("SKIPPED: looking at the page needs chromedriver");
        return;
    };
    let folder = std::env::temp_dir().join(format!("hoplab-page-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let page = folder.join("page.html");
    scenario_page(&page);
    it_plays(&browser, &page);
    it_shows_captures_and_themes(&browser, &page);
    everything_has_a_name(&browser);
    it_fits(&browser, &page);
    let hostile_page = folder.join("hostile.html");
    fs::write(&hostile_page, html(&hostile())).expect("the page can be written");
    names_run_nothing(&browser, &hostile_page);
    fs::remove_dir_all(&folder).expect("it can be removed");
}

fn url(page: &Path, place: &str) -> String {
    format!("file://{}{place}", page.display())
}

/// The page that the command line makes of a scenario.
fn scenario_page(page: &Path) {
    let out = Command::new(env!("CARGO_BIN_EXE_hoplab"))
        .args(["run", "scenarios/two-docker-hosts.ron", "--format", "html"])
        .output()
        .expect("hoplab runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    fs::write(page, out.stdout).expect("the page can be written");
}

/// Leaves a picture where a person can look at it.
fn picture(browser: &Browser, name: &str) {
    let Some(folder) = std::env::var_os("HOPLAB_SCREENSHOTS") else { return };
    let shot = browser.tools("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
    let bytes = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap_or_default());
    fs::write(PathBuf::from(folder).join(name), bytes.expect("a picture")).expect("it can be written");
}

const COUNT: &str = "return document.getElementById('count').textContent";
const PLACE: &str = "return document.getElementById('packet').style.transform";
const TITLE: &str = "return document.getElementById('packet-title').textContent";

fn it_plays(browser: &Browser, page: &Path) {
    browser.open(&url(page, ""));
    assert_eq!(browser.complaints(), [""; 0]);
    let title = browser.text(TITLE);
    assert_eq!(title, "172.17.0.2 → 172.18.0.2  ICMP echo request seq 1");
    assert!(browser.text(COUNT).starts_with("1 of "), "{}", browser.text(COUNT));
    let start = browser.text(PLACE);

    browser.press(&[RIGHT, RIGHT, RIGHT]);
    assert!(browser.text(COUNT).starts_with("4 of "));
    browser.press(&[LEFT]);
    assert!(browser.text(COUNT).starts_with("3 of "));
    browser.press(&[END]);
    let (count, end) = (browser.text(COUNT), browser.text(PLACE));
    let (at, of) = count.split_once(" of ").expect("a count");
    assert_eq!(at, of);
    assert_ne!(start, end, "the packet didn't move");
    let now = "return document.getElementById('now').className + document.getElementById('what').textContent";
    assert_eq!(browser.text(now), "lostdropped: no route to the destination (IP_INNOROUTES)");
    browser.press(&[HOME]);
    assert_eq!(browser.text(PLACE), start);

    // Forward to where the source is translated: before and after stand side by side.
    let changed =
        "return [...document.querySelectorAll('#headers .changed')].map(e => e.textContent).join('\\n')";
    let until = "for (let i = 0; i < 60 && !document.getElementById('what').textContent.startsWith('src '); i++) \
                 document.getElementById('forward').click();";
    browser.run(until);
    assert!(browser.text(changed).contains("172.17.0.2 ⇒ 192.168.0.11"), "{}", browser.text(changed));
    let decided = browser.text("return document.querySelector('#decision .decided').textContent");
    assert!(decided.contains("MASQUERADE"), "{decided}");
    picture(browser, "light.png");

    // The slider and the list of steps lead to the same places.
    browser.run(
        "const s = document.getElementById('slider'); s.value = 1; s.dispatchEvent(new Event('input'));",
    );
    assert!(browser.text(COUNT).starts_with("2 of "));
    browser.run("document.querySelectorAll('#steps button')[4].click()");
    assert!(browser.text(COUNT).starts_with("5 of "));

    // Space plays, and plays no more.
    browser.run("document.activeElement.blur()");
    browser.press(&[' ']);
    assert_eq!(browser.text("return document.getElementById('play').textContent"), "Pause");
    browser.press(&[' ']);
    assert_eq!(browser.text("return document.getElementById('play').textContent"), "Play");

    // Another packet, and an address that leads to a step.
    browser.run("[...document.querySelectorAll('[data-at]')].at(-1).click()");
    assert_ne!(browser.text(TITLE), title);
    browser.open(&url(page, &format!("{}.6", last_packet(browser))));
    assert!(browser.text(COUNT).starts_with("7 of "));
    assert_eq!(browser.complaints(), [""; 0]);
}

/// The address of the last packet in the list.
fn last_packet(browser: &Browser) -> String {
    let at = browser.text("return [...document.querySelectorAll('[data-at]')].at(-1).dataset.at");
    format!("#{at}")
}

fn it_shows_captures_and_themes(browser: &Browser, page: &Path) {
    browser.open(&url(page, &format!("{}.25", last_packet(browser))));
    browser.run("document.getElementById('captures').open = true");
    let rows = "return document.querySelectorAll('#frames tr').length";
    let all: usize = browser.text(rows).parse().expect("a number");
    assert!(all > 10, "{all} frames");
    let choose = "const d = document.getElementById('device'); d.value = d.options[1].value; \
                  d.dispatchEvent(new Event('change'));";
    browser.run(choose);
    let some: usize = browser.text(rows).parse().expect("a number");
    assert!(0 < some && some < all, "{some} of {all} frames");
    let background = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.text(background);
    browser.tools(
        "Emulation.setEmulatedMedia",
        &json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]}),
    );
    let dark = browser.text(background);
    assert_ne!(light, dark);
    picture(browser, "dark.png");
    browser.run("document.getElementById('theme').click()");
    assert_eq!(browser.text(background), light);
    browser.tools("Emulation.setEmulatedMedia", &json!({"features": []}));
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Whoever hears the page instead of seeing it is told what every control is.
fn everything_has_a_name(browser: &Browser) {
    let nameless = browser.text(
        "return [...document.querySelectorAll('button, select, input, [role=region], [role=img]')].filter(e => { \
           const label = e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent.trim() \
             || [...(e.labels || [])].map(l => l.textContent).join(''); \
           return !label; }).map(e => e.outerHTML).join('\\n')",
    );
    assert_eq!(nameless, "");
    assert_eq!(browser.text("return document.documentElement.lang"), "en");
    assert_eq!(browser.text("return document.getElementById('now').getAttribute('aria-live')"), "polite");
}

const OVERHANG: &str = "return Math.max(0, document.documentElement.scrollWidth - window.innerWidth)";

fn it_fits(browser: &Browser, page: &Path) {
    for (width, name) in [(360, "phone.png"), (800, "tablet.png")] {
        browser.screen(width, 740, width < 500);
        browser.open(&url(page, &format!("{}.25", last_packet(browser))));
        browser.run("document.querySelectorAll('details').forEach(d => d.open = true)");
        assert_eq!(browser.text(OVERHANG), "0", "at {width} pixels");
        browser.run("document.querySelectorAll('nav details').forEach(d => d.open = false)");
        picture(browser, name);
    }
    browser.tools("Emulation.clearDeviceMetricsOverride", &json!({}));
}

const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=\"alert(2)\"><!--";

/// A recording in which everything that a file, a person or a program names wants to be markup.
fn hostile() -> Recording {
    let script = format!(
        "ip netns add '<svg onload=alert(3)>'\n\
         ip link add '<b>x' type veth peer name eth0 netns '<svg onload=alert(3)>'\n\
         ip addr add 10.0.0.1/24 dev '<b>x'\nip link set '<b>x' up\n\
         ip -n '<svg onload=alert(3)>' addr add 10.0.0.2/24 dev eth0\n\
         ip -n '<svg onload=alert(3)>' link set eth0 up\n\
         iptables -A OUTPUT -m comment --comment '{comment}' -j ACCEPT\n\
         ping -c 1 10.0.0.2\necho '{HOSTILE}'\n",
        comment = "</script><script>alert(4)</script>",
    );
    let mut recorder = Recorder::default();
    let (world, output) = support::run_script("sh", &script, 0, &mut recorder);
    let mut builder = RecordingBuilder::new(HOSTILE, Packets::All, Limits::PAGE);
    builder.act(HOSTILE);
    let typed = Typed { on: HOSTILE.to_owned(), command: HOSTILE.to_owned(), output, ..Typed::default() };
    builder.command(&world, world.map(), typed, &recorder.steps);
    builder.expectation(HOSTILE, Some(HOSTILE));
    let mut recording = builder.finish();
    HOSTILE.clone_into(&mut recording.map.hosts[0].name);
    recording
}

fn names_run_nothing(browser: &Browser, page: &Path) {
    browser.open(&url(page, ""));
    assert!(!browser.has_alert());
    let output = browser.text("return document.getElementById('output').textContent");
    assert!(output.contains(HOSTILE), "{output}");
    assert_eq!(browser.text("return document.querySelector('h1').textContent"), HOSTILE);
    // Every packet at every step.
    browser.run(
        "document.getElementById('every').click(); \
         for (let i = 0; i < 40; i++) { \
           const packet = document.querySelectorAll('[data-at]')[i]; if (!packet) break; packet.click(); \
           for (let j = 0; j < 60; j++) document.getElementById('forward').click(); } \
         document.getElementById('captures').open = true;",
    );
    assert!(!browser.has_alert());
    let foreign =
        "return document.querySelectorAll('img, iframe, object, b:not(.typed b), main script').length";
    assert_eq!(browser.text(foreign), "0");
    assert_eq!(browser.text("return document.scripts.length"), "2");
    assert_eq!(browser.complaints(), [""; 0]);
    // Not even a script that came into the page would run.
    browser.run("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);");
    assert_eq!(browser.text("return typeof window.ran"), "undefined");
    assert!(browser.complaints().iter().any(|text| text.contains("Content Security Policy")));
    browser.screen(360, 740, true);
    browser.open(&url(page, ""));
    assert_eq!(browser.text(OVERHANG), "0");
    picture(browser, "hostile.png");
    browser.tools("Emulation.clearDeviceMetricsOverride", &json!({}));
}
