/// A release of CoreDNS, as far as it says who it is.
///
/// Simplified: which Corefiles are taken is as with 1.11.1, what is answered as with 1.14, whatever
/// the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// Its version, without `v`.
    pub version: &'static str,
    /// What it was built with.
    pub go: &'static str,
    /// The commit that it was built from.
    pub commit: &'static str,
}

const RELEASES: [Release; 5] = [
    Release { version: "1.10.1", go: "go1.20", commit: "055b2c3" },
    Release { version: "1.11.1", go: "go1.20.7", commit: "ae2bbc2" },
    Release { version: "1.11.3", go: "go1.21.11", commit: "a6338e9" },
    Release { version: "1.12.0", go: "go1.23.3", commit: "51e11f1" },
    Release { version: "1.14.7", go: "go1.26.6", commit: "427fc80" },
];

/// The release of a program that doesn't say which it is.
const USUAL: Release = RELEASES[1];

impl Release {
    /// The release with an image's tag; without a tag the usual one.
    pub fn of_tag(tag: &str) -> Result<Self, String> {
        let version = tag.strip_prefix('v').unwrap_or(tag);
        if matches!(version, "" | "latest") {
            return Ok(USUAL);
        }
        RELEASES.into_iter().find(|release| release.version == version).ok_or_else(|| {
            let known: Vec<&str> = RELEASES.iter().map(|release| release.version).collect();
            format!("hoplab: CoreDNS {tag} is not simulated, only {}", known.join(", "))
        })
    }

    /// What `-version` prints.
    pub fn text(&self) -> String {
        let Self { version, go, commit } = self;
        format!("CoreDNS-{version}\nlinux/amd64, {go}, {commit}\n")
    }
}
