//! The images that hoplab knows: what runs in them.
//!
//! Simplified: no image is pulled or built; each holds every command that hoplab has.

/// How a container's first process takes SIGTERM (or the image's own stop signal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStop {
    /// Ends.
    Ends,
    /// As process 1 it ignores what it has no handler for, until it is killed.
    Ignores,
}

/// An image.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// Its name without a tag.
    pub name: &'static str,
    /// `ENTRYPOINT`.
    pub entrypoint: &'static [&'static str],
    /// `CMD`.
    pub command: &'static [&'static str],
    /// `EXPOSE`.
    pub exposed: &'static [&'static str],
    /// What its first process does when it is told to stop.
    pub on_stop: OnStop,
}

const fn shell(name: &'static str, command: &'static [&'static str]) -> Image {
    Image { name, entrypoint: &[], command, exposed: &[], on_stop: OnStop::Ignores }
}

const IMAGES: &[Image] = &[
    Image {
        name: "nginx",
        entrypoint: &["/docker-entrypoint.sh"],
        command: &["nginx", "-g", "daemon off;"],
        exposed: &["80/tcp"],
        on_stop: OnStop::Ends,
    },
    Image {
        name: "jolestar/go-probe",
        entrypoint: &["/usr/bin/go-probe"],
        command: &[],
        exposed: &["80/tcp"],
        on_stop: OnStop::Ends,
    },
    Image {
        name: "hashicorp/http-echo",
        entrypoint: &["/http-echo"],
        command: &[],
        exposed: &["5678/tcp"],
        on_stop: OnStop::Ends,
    },
    shell("busybox", &["sh"]),
    shell("alpine", &["/bin/sh"]),
    shell("debian", &["bash"]),
    shell("ubuntu", &["/bin/bash"]),
    shell("centos", &["/bin/bash"]),
    shell("nicolaka/netshoot", &["zsh"]),
];

/// The image that a reference such as `docker.io/library/nginx:1.25` means.
pub fn find(reference: &str) -> Option<&'static Image> {
    let name = reference.split('@').next().unwrap_or(reference);
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    IMAGES.iter().find(|image| image.name == name)
}

/// The reference with its tag.
pub fn tagged(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    if name.contains([':', '@']) { reference.to_owned() } else { format!("{reference}:latest") }
}

/// The registered program that a container's command means.
pub fn program(args: &[String]) -> Option<Vec<String>> {
    let mut args = args.to_vec();
    if args.first().is_some_and(|first| first == "/docker-entrypoint.sh") {
        args.remove(0);
    }
    let first = args.first_mut()?;
    let base = first.rsplit('/').next().unwrap_or(first).to_owned();
    *first = match base.as_str() {
        "zsh" | "ash" | "dash" => "sh".to_owned(),
        _ => base,
    };
    Some(args)
}
