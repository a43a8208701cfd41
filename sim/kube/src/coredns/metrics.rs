//! What a CoreDNS counts, as Prometheus reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use dns::{Message, RecordType, ResponseCode};

use super::message::{self, Client};

/// Counters and histograms. CoreDNS: `plugin/metrics` and the plugins' `metrics.go`.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    counters: BTreeMap<(&'static str, String), u64>,
    histograms: BTreeMap<(&'static str, String), Histogram>,
}

#[derive(Clone, Debug)]
struct Histogram {
    /// Upper bounds, and how many were at most so much.
    buckets: Vec<(f64, u64)>,
    sum: f64,
    count: u64,
}

/// Name, help and type.
const FAMILIES: [(&str, &str, &str); 12] = [
    ("coredns_cache_entries", "The number of elements in the cache.", "gauge"),
    ("coredns_cache_hits_total", "The count of cache hits.", "counter"),
    (
        "coredns_cache_misses_total",
        "The count of cache misses. Deprecated, derive misses from cache hits/requests counters.",
        "counter",
    ),
    ("coredns_cache_requests_total", "The count of cache requests.", "counter"),
    ("coredns_dns_do_requests_total", "Counter of DNS requests with DO bit set per zone.", "counter"),
    (
        "coredns_dns_request_duration_seconds",
        "Histogram of the time (in seconds) each request took per zone.",
        "histogram",
    ),
    (
        "coredns_dns_request_size_bytes",
        "Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.",
        "histogram",
    ),
    ("coredns_dns_requests_total", "Counter of DNS requests made per zone, protocol and family.", "counter"),
    ("coredns_dns_response_size_bytes", "Size of the returned response in bytes.", "histogram"),
    ("coredns_dns_responses_total", "Counter of response status codes.", "counter"),
    (
        "coredns_forward_max_concurrent_rejects_total",
        "Counter of the number of queries rejected because the concurrent queries were at maximum.",
        "counter",
    ),
    ("coredns_proxy_request_duration_seconds", "Histogram of the time each request took.", "histogram"),
];

/// Bounds of sizes in bytes.
const SIZES: [f64; 14] =
    [0., 100., 200., 300., 400., 511., 1023., 2047., 4095., 8291., 16e3, 32e3, 48e3, 64e3];
/// The first bound of durations, in seconds; each next one is twice as long.
const FIRST_DURATION: f64 = 0.000_25;

impl Metrics {
    /// Counts one. `labels` as Prometheus writes them, without braces.
    pub(super) fn count(&mut self, name: &'static str, labels: String) {
        *self.counters.entry((name, labels)).or_default() += 1;
    }

    /// Sets a gauge.
    pub(super) fn set(&mut self, name: &'static str, labels: String, value: usize) {
        self.counters.insert((name, labels), u64::try_from(value).unwrap_or(u64::MAX));
    }

    /// Notes a size in bytes.
    pub(super) fn size(&mut self, name: &'static str, labels: String, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.observe(name, labels, &SIZES, f64::from(bytes));
    }

    /// Notes a duration in seconds, with so many bounds.
    pub(super) fn duration(&mut self, name: &'static str, labels: String, seconds: f64) {
        let bounds: Vec<f64> = (0..16).map(|power| FIRST_DURATION * f64::from(1_u32 << power)).collect();
        self.observe(name, labels, &bounds, seconds);
    }

    fn observe(&mut self, name: &'static str, labels: String, bounds: &[f64], value: f64) {
        let histogram = self.histograms.entry((name, labels)).or_insert_with(|| Histogram {
            buckets: bounds.iter().map(|bound| (*bound, 0)).collect(),
            sum: 0.,
            count: 0,
        });
        for (_, count) in histogram.buckets.iter_mut().filter(|(bound, _)| value <= *bound) {
            *count += 1;
        }
        histogram.sum += value;
        histogram.count += 1;
    }

    /// All of them in Prometheus's text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, help, kind) in FAMILIES {
            let counters: Vec<_> = self.counters.iter().filter(|((known, _), _)| *known == name).collect();
            let histograms: Vec<_> =
                self.histograms.iter().filter(|((known, _), _)| *known == name).collect();
            if counters.is_empty() && histograms.is_empty() {
                continue;
            }
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for ((_, labels), value) in counters {
                let _ = writeln!(text, "{name}{{{labels}}} {value}");
            }
            for ((_, labels), Histogram { buckets, sum, count }) in histograms {
                for (bound, count) in buckets {
                    let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{}\"}} {count}", number(*bound));
                }
                let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
                let _ = writeln!(text, "{name}_sum{{{labels}}} {}", number(*sum));
                let _ = writeln!(text, "{name}_count{{{labels}}} {count}");
            }
        }
        text
    }
}

/// A query that was answered.
pub(super) struct Reported<'a> {
    /// The zone that it is counted under.
    pub zone: &'a str,
    pub client: &'a Client,
    pub query: &'a Message,
    /// Its length as it came.
    pub size: usize,
    pub code: ResponseCode,
    pub answer: Option<&'a Message>,
    /// The plugin that has answered.
    pub by: &'a str,
    pub took: Duration,
}

impl Metrics {
    /// Counts a query. CoreDNS: `vars.Report`.
    pub(super) fn report(&mut self, reported: &Reported<'_>) {
        let Reported { zone, client, query, size, code, answer, by, took } = reported;
        let server = format!("dns://:{}", client.to.port());
        let own = format!("server=\"{server}\",view=\"\",zone=\"{zone}\"");
        let family = if client.from.is_ipv4() { 1 } else { 2 };
        let proto = client.transport.name();
        let with_proto = format!("proto=\"{proto}\",{own}");
        if message::wants_dnssec(query) {
            self.count("coredns_dns_do_requests_total", own.clone());
        }
        let kind = counted_type(message::kind(query));
        let labels = format!(
            "family=\"{family}\",proto=\"{proto}\",server=\"{server}\",type=\"{kind}\",view=\"\",zone=\"{zone}\""
        );
        self.count("coredns_dns_requests_total", labels);
        self.duration("coredns_dns_request_duration_seconds", own.clone(), took.as_secs_f64());
        let length = answer.map_or(0, message::length);
        self.size("coredns_dns_response_size_bytes", with_proto.clone(), length);
        self.size("coredns_dns_request_size_bytes", with_proto, *size);
        let code = message::code_text(*code);
        let labels = format!("plugin=\"{by}\",rcode=\"{code}\",{own}");
        self.count("coredns_dns_responses_total", labels);
    }
}

/// The types that are counted each; the rest is `other`.
fn counted_type(kind: RecordType) -> String {
    use RecordType::{
        A, AAAA, ANY, AXFR, CNAME, DNSKEY, DS, HTTPS, IXFR, MX, NS, NSEC, NSEC3, PTR, RRSIG, SOA, SRV, SVCB,
        TXT,
    };
    match kind {
        A | AAAA | ANY | AXFR | CNAME | DNSKEY | DS | HTTPS | IXFR | MX | NS | NSEC | NSEC3 | PTR | RRSIG
        | SOA | SRV | SVCB | TXT => message::type_text(kind),
        _ => "other".to_owned(),
    }
}

/// As Go's `FormatFloat(…, 'g', -1, 64)` writes it, but for very small and very large ones.
fn number(value: f64) -> String {
    format!("{value}")
}
