//! The images that hoplab knows: what runs in them.
//!
//! Simplified: no image is pulled or built; each holds every command that hoplab has.

mod app;
mod container;
mod nginx;

pub use app::Pause;
pub use container::{environment, fill_root, kill_all, new_id};

use crate::dns::lookup::MUSL_LINKER;

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
    /// Files that matter to what runs in it: path and text; `TAG` stands for the image's tag.
    pub files: &'static [(&'static str, &'static str)],
}

const fn shell(name: &'static str, command: &'static [&'static str]) -> Image {
    Image { name, entrypoint: &[], command, exposed: &[], on_stop: OnStop::Ignores, files: &[] }
}

const fn server(
    name: &'static str,
    entrypoint: &'static [&'static str],
    command: &'static [&'static str],
    exposed: &'static [&'static str],
) -> Image {
    Image { name, entrypoint, command, exposed, on_stop: OnStop::Ends, files: &[] }
}

const fn with_files(image: Image, files: &'static [(&'static str, &'static str)]) -> Image {
    Image { files, ..image }
}

/// The files of images that are made on Alpine: names are looked up as musl does it.
const MUSL: &[(&str, &str)] = &[(MUSL_LINKER, "ELF\n")];

const NGINX: &[&str] = &["nginx", "-g", "daemon off;"];

const KUBE_PROXY: &[&str] = &["/usr/local/bin/kube-proxy"];

const COREDNS: &[&str] = &["/coredns"];

const COREDNS_FILES: &[(&str, &str)] = &[("/coredns", "ELF TAG\n")];

const IMAGES: &[Image] = &[
    with_files(server("nginx", &["/docker-entrypoint.sh"], NGINX, &["80/tcp"]), nginx::FILES),
    with_files(server("ikubernetes/myapp", &[], NGINX, &["80/tcp"]), nginx::MYAPP_FILES),
    server("jolestar/go-probe", &["/usr/bin/go-probe"], &[], &["80/tcp"]),
    server("hashicorp/http-echo", &["/http-echo"], &[], &["5678/tcp"]),
    server("e2e-test-images/agnhost", &["/agnhost"], &["pause"], &[]),
    server("serve_hostname", &["/agnhost", "serve-hostname"], &[], &["9376/tcp"]),
    server("google_containers/test-webserver", &["/test-webserver"], &[], &["80/tcp"]),
    server("google-samples/hello-app", &["/hello-app"], &[], &["8080/tcp"]),
    server("pause", &["/pause"], &[], &[]),
    shell("busybox", &["sh"]),
    with_files(shell("alpine", &["/bin/sh"]), MUSL),
    shell("debian", &["bash"]),
    shell("ubuntu", &["/bin/bash"]),
    shell("centos", &["/bin/bash"]),
    with_files(shell("nicolaka/netshoot", &["zsh"]), MUSL),
    with_files(shell("infoblox/dnstools", &["/bin/sh"]), MUSL),
    Image { entrypoint: &["/entrypoint.sh"], files: MUSL, ..shell("curlimages/curl", &["curl"]) },
    Image { entrypoint: &["/usr/bin/curl"], files: MUSL, ..shell("appropriate/curl", &[]) },
    server("flannelcni/flannel", &["/opt/bin/flanneld"], &[], &[]),
    with_files(shell("flannelcni/flannel-cni-plugin", &[]), &[("/flannel", "")]),
    server("etcd", &[], &["/usr/local/bin/etcd"], &["2379/tcp", "2380/tcp"]),
    with_files(server("coredns/coredns", COREDNS, &[], &["53/udp", "53/tcp"]), COREDNS_FILES),
    with_files(server("coredns", COREDNS, &[], &["53/udp", "53/tcp"]), COREDNS_FILES),
    server("kube-apiserver", &[], &["kube-apiserver"], &[]),
    server("kube-controller-manager", &[], &["kube-controller-manager"], &[]),
    server("kube-scheduler", &[], &["kube-scheduler"], &[]),
    with_files(server("kube-proxy", &[], KUBE_PROXY, &[]), &[("/usr/local/bin/kube-proxy", "ELF TAG\n")]),
];

/// Other names of the same images: mirrors, and the registries that moved.
const MIRRORS: &[(&str, &str)] = &[
    ("rancher/mirrored-flannelcni-flannel-cni-plugin", "flannelcni/flannel-cni-plugin"),
    ("rancher/mirrored-flannelcni-flannel", "flannelcni/flannel"),
    ("flannel-io/flannel-cni-plugin", "flannelcni/flannel-cni-plugin"),
    ("flannel-io/flannel", "flannelcni/flannel"),
    ("flannel/flannel-cni-plugin", "flannelcni/flannel-cni-plugin"),
    ("flannel/flannel", "flannelcni/flannel"),
    ("coreos/flannel", "flannelcni/flannel"),
    ("google_registry/myapp", "ikubernetes/myapp"),
    ("google_containers/pause", "pause"),
    ("google_containers/serve_hostname", "serve_hostname"),
    ("google_containers/etcd", "etcd"),
    ("google_containers/kube-proxy", "kube-proxy"),
    ("google_containers/kube-proxy-amd64", "kube-proxy"),
];

/// The registries whose images need no account: their names say nothing about the image.
const REGISTRIES: &[&str] = &[
    "docker.io/",
    "library/",
    "registry.k8s.io/",
    "k8s.gcr.io/",
    "gcr.io/",
    "ghcr.io/",
    "quay.io/",
    "us-docker.pkg.dev/google-samples/containers/gke/",
    "registry.cn-beijing.aliyuncs.com/",
    "registry.cn-hangzhou.aliyuncs.com/",
    "registry.aliyuncs.com/",
];

/// Name and tag of a reference; the tag is empty if it says none.
fn parts(reference: &str) -> (&str, &str) {
    let name = reference.split('@').next().unwrap_or(reference);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (name, ""),
    }
}

/// The image that a reference such as `docker.io/library/nginx:1.25` means.
pub fn find(reference: &str) -> Option<&'static Image> {
    let (mut name, _) = parts(reference);
    while let Some(rest) = REGISTRIES.iter().find_map(|registry| name.strip_prefix(registry)) {
        name = rest;
    }
    let name = MIRRORS.iter().find(|(mirror, _)| *mirror == name).map_or(name, |(_, name)| name);
    IMAGES.iter().find(|image| image.name == name)
}

/// The reference with its tag.
pub fn tagged(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    if name.contains([':', '@']) { reference.to_owned() } else { format!("{reference}:latest") }
}

impl Image {
    /// Its files as a container of that reference finds them.
    pub fn files_of(&self, reference: &str) -> impl Iterator<Item = (&'static str, String)> {
        let tag = parts(reference).1.to_owned();
        self.files.iter().map(move |(path, text)| (*path, text.replace("TAG", &tag)))
    }
}

/// The registered program that a container's command means.
pub fn program(args: &[String]) -> Option<Vec<String>> {
    let mut args = args.to_vec();
    if args.len() > 1 && matches!(args[0].as_str(), "/docker-entrypoint.sh" | "/entrypoint.sh") {
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

/// What a program does as process 1 of a container when it is told to stop: commands have no
/// handler, servers do.
pub fn on_stop(program: &str) -> OnStop {
    const COMMANDS: &[&str] =
        &["sh", "bash", "sleep", "tail", "cat", "ping", "yes", "watch", "nc", "tcpdump", "top", "arping"];
    if COMMANDS.contains(&program) { OnStop::Ignores } else { OnStop::Ends }
}

/// Installs what runs in the images.
pub fn install(registry: &mut world::Registry) {
    nginx::install(registry);
    app::install(registry);
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_reference_means_an_image() {
        for (reference, name) in [
            ("nginx", "nginx"),
            ("docker.io/library/nginx:1.25", "nginx"),
            ("registry.k8s.io/pause:3.9", "pause"),
            ("k8s.gcr.io/coredns/coredns:v1.8", "coredns/coredns"),
            ("registry.cn-beijing.aliyuncs.com/google_registry/myapp:v1", "ikubernetes/myapp"),
            ("rancher/mirrored-flannelcni-flannel:v0.16.1", "flannelcni/flannel"),
            ("localhost:5000/nginx", ""),
            ("mongo", ""),
        ] {
            assert_eq!(super::find(reference).map_or("", |image| image.name), name, "{reference}");
        }
    }
}
