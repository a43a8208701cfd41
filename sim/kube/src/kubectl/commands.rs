//! The commands and their options.

use super::cli::{Cli, Then};
use super::command::{Command, Run};
use super::failure::Failure;
use super::flags::{Flag, Kind};
use super::{
    apply, change, config_cmd, container, create, delete, describe, get, info, node, port_forward, rollout,
    run, wait,
};

type Function = fn(&mut Cli<'_>) -> Result<Then, Failure>;

const fn command(
    name: &'static str,
    group: &'static str,
    short: &'static str,
    usage: &'static str,
    flags: &'static [Flag],
    function: Function,
) -> Command {
    Command { name, aliases: &[], group, short, usage, flags, run: Run::Function(function), subcommands: &[] }
}

const fn refused(name: &'static str, group: &'static str, short: &'static str) -> Command {
    Command {
        name,
        aliases: &[],
        group,
        short,
        usage: "[options]",
        flags: &[],
        run: Run::Refused,
        subcommands: &[],
    }
}

const fn group(
    name: &'static str,
    of: &'static str,
    short: &'static str,
    subcommands: &'static [Command],
) -> Command {
    Command { name, aliases: &[], group: of, short, usage: "", flags: &[], run: Run::Group, subcommands }
}

const BEGINNER: &str = "Basic Commands (Beginner)";
const INTERMEDIATE: &str = "Basic Commands (Intermediate)";
const DEPLOY: &str = "Deploy Commands";
const CLUSTER: &str = "Cluster Management Commands";
const TROUBLE: &str = "Troubleshooting and Debugging Commands";
const ADVANCED: &str = "Advanced Commands";
const SETTINGS: &str = "Settings Commands";
const OTHER: &str = "Other Commands";

const fn switch(name: &'static str) -> Flag {
    (name, ' ', Kind::Switch)
}

const fn value(name: &'static str) -> Flag {
    (name, ' ', Kind::Text)
}

const fn number(name: &'static str) -> Flag {
    (name, ' ', Kind::Int)
}

const fn time(name: &'static str) -> Flag {
    (name, ' ', Kind::Duration)
}

const fn foreign(name: &'static str) -> Flag {
    (name, ' ', Kind::Foreign)
}

const fn foreign_switch(name: &'static str) -> Flag {
    (name, ' ', Kind::ForeignSwitch)
}

const DRY_RUN: Flag = ("dry-run", ' ', Kind::Optional("unchanged"));
const OUTPUT: Flag = ("output", 'o', Kind::Text);
const FILENAME: Flag = ("filename", 'f', Kind::Text);
const RECURSIVE: Flag = ("recursive", 'R', Kind::Switch);
const KUSTOMIZE: Flag = ("kustomize", 'k', Kind::Foreign);
const SELECTOR: Flag = ("selector", 'l', Kind::Text);
const ALL: Flag = switch("all");
const ALL_NAMESPACES: Flag = ("all-namespaces", 'A', Kind::Switch);
const FIELD_SELECTOR: Flag = value("field-selector");
const MANAGER: Flag = value("field-manager");
const VALIDATE: Flag = ("validate", ' ', Kind::Optional("strict"));
const CASCADE: Flag = ("cascade", ' ', Kind::Optional("background"));
const RECORD: Flag = switch("record");
const SHOW_MANAGED: Flag = switch("show-managed-fields");
const TEMPLATE: Flag = value("template");
const MISSING_KEYS: Flag = switch("allow-missing-template-keys");
const SAVE: Flag = switch("save-config");
const STDIN: Flag = ("stdin", 'i', Kind::Switch);
const TTY: Flag = ("tty", 't', Kind::Switch);
const QUIET: Flag = ("quiet", 'q', Kind::Switch);
const CONTAINER: Flag = ("container", 'c', Kind::Text);
const CHUNK: Flag = number("chunk-size");
const LOCAL: Flag = foreign_switch("local");
const POD_TIMEOUT: Flag = time("pod-running-timeout");

const CREATED: &[Flag] = &[
    DRY_RUN,
    OUTPUT,
    TEMPLATE,
    MISSING_KEYS,
    SHOW_MANAGED,
    SAVE,
    MANAGER,
    VALIDATE,
    value("tcp"),
    value("clusterip"),
    number("node-port"),
    value("external-name"),
];

static CREATE_SERVICE: &[Command] = &[
    command(
        "clusterip",
        "",
        "Create a ClusterIP service",
        "NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none] [options]",
        CREATED,
        create::cluster_ip,
    ),
    command(
        "nodeport",
        "",
        "Create a NodePort service",
        "NAME [--tcp=port:targetPort] [--dry-run=server|client|none] [options]",
        CREATED,
        create::node_port,
    ),
    command(
        "loadbalancer",
        "",
        "Create a LoadBalancer service",
        "NAME [--tcp=port:targetPort] [--dry-run=server|client|none] [options]",
        CREATED,
        create::load_balancer,
    ),
    command(
        "externalname",
        "",
        "Create an ExternalName service",
        "NAME --external-name external.name [--dry-run=server|client|none] [options]",
        CREATED,
        create::external_name,
    ),
];

static CREATE: &[Command] = &[
    Command {
        aliases: &["ns"],
        ..command(
            "namespace",
            "",
            "Create a namespace with the specified name",
            "NAME [--dry-run=server|client|none] [options]",
            CREATED,
            create::namespace,
        )
    },
    refused("quota", "", "Create a quota with the specified name"),
    refused("secret", "", "Create a secret using a specified subcommand"),
    Command {
        aliases: &["cm"],
        ..command(
            "configmap",
            "",
            "Create a config map from a local file, directory or literal value",
            "NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none] [options]",
            &[
                DRY_RUN,
                OUTPUT,
                TEMPLATE,
                MISSING_KEYS,
                SHOW_MANAGED,
                SAVE,
                MANAGER,
                VALIDATE,
                value("from-literal"),
                value("from-file"),
                foreign("from-env-file"),
                foreign_switch("append-hash"),
            ],
            create::config_map,
        )
    },
    Command {
        aliases: &["sa"],
        ..command(
            "serviceaccount",
            "",
            "Create a service account with the specified name",
            "NAME [--dry-run=server|client|none] [options]",
            CREATED,
            create::service_account,
        )
    },
    Command {
        aliases: &["svc"],
        ..group("service", "", "Create a service using a specified subcommand", CREATE_SERVICE)
    },
    Command {
        aliases: &["deploy"],
        ..command(
            "deployment",
            "",
            "Create a deployment with the specified name",
            "NAME --image=image -- [COMMAND] [args...] [options]",
            &[
                DRY_RUN,
                OUTPUT,
                TEMPLATE,
                MISSING_KEYS,
                SHOW_MANAGED,
                SAVE,
                MANAGER,
                VALIDATE,
                value("image"),
                number("port"),
                ("replicas", 'r', Kind::Int),
            ],
            create::deployment,
        )
    },
    refused("clusterrole", "", "Create a cluster role"),
    refused("clusterrolebinding", "", "Create a cluster role binding for a particular cluster role"),
    refused("role", "", "Create a role with single rule"),
    refused("rolebinding", "", "Create a role binding for a particular role or cluster role"),
    refused("poddisruptionbudget", "", "Create a pod disruption budget with the specified name"),
    refused("priorityclass", "", "Create a priority class with the specified name"),
    refused("job", "", "Create a job with the specified name"),
    refused("cronjob", "", "Create a cron job with the specified name"),
    refused("ingress", "", "Create an ingress with the specified name"),
    refused("token", "", "Request a service account token"),
];

const SET_FLAGS: &[Flag] = &[
    ALL,
    DRY_RUN,
    OUTPUT,
    TEMPLATE,
    MISSING_KEYS,
    SHOW_MANAGED,
    FILENAME,
    RECURSIVE,
    KUSTOMIZE,
    SELECTOR,
    MANAGER,
    RECORD,
    LOCAL,
    ("containers", 'c', Kind::Text),
    ("env", 'e', Kind::Foreign),
    foreign("from"),
    foreign("prefix"),
    foreign_switch("list"),
    foreign_switch("resolve"),
    switch("overwrite"),
];

static SET: &[Command] = &[
    command(
        "image",
        "",
        "Update the image of a pod template",
        "(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N [options]",
        SET_FLAGS,
        change::set_image,
    ),
    refused("resources", "", "Update resource requests/limits on objects with pod templates"),
    refused("selector", "", "Set the selector on a resource"),
    refused(
        "subject",
        "",
        "Update the user, group, or service account in a role binding or cluster role binding",
    ),
    refused("serviceaccount", "", "Update the service account of a resource"),
    command(
        "env",
        "",
        "Update environment variables on a pod template",
        "RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N [options]",
        SET_FLAGS,
        change::set_env,
    ),
];

const ROLLOUT_FLAGS: &[Flag] = &[
    FILENAME,
    RECURSIVE,
    KUSTOMIZE,
    SELECTOR,
    OUTPUT,
    TEMPLATE,
    MISSING_KEYS,
    SHOW_MANAGED,
    MANAGER,
    DRY_RUN,
    RECORD,
    number("revision"),
    number("to-revision"),
    time("timeout"),
    ("watch", 'w', Kind::Switch),
];

static ROLLOUT: &[Command] = &[
    command(
        "history",
        "",
        "View rollout history",
        "(TYPE NAME | TYPE/NAME) [flags] [options]",
        ROLLOUT_FLAGS,
        rollout::history,
    ),
    command(
        "pause",
        "",
        "Mark the provided resource as paused",
        "RESOURCE [options]",
        ROLLOUT_FLAGS,
        rollout::pause,
    ),
    command("resume", "", "Resume a paused resource", "RESOURCE [options]", ROLLOUT_FLAGS, rollout::resume),
    command(
        "undo",
        "",
        "Undo a previous rollout",
        "(TYPE NAME | TYPE/NAME) [flags] [options]",
        ROLLOUT_FLAGS,
        rollout::undo,
    ),
    command(
        "status",
        "",
        "Show the status of the rollout",
        "(TYPE NAME | TYPE/NAME) [flags] [options]",
        ROLLOUT_FLAGS,
        rollout::status,
    ),
    command("restart", "", "Restart a resource", "RESOURCE [options]", ROLLOUT_FLAGS, rollout::restart),
];

const CONFIG_FLAGS: &[Flag] = &[
    OUTPUT,
    TEMPLATE,
    MISSING_KEYS,
    SHOW_MANAGED,
    switch("raw"),
    switch("minify"),
    foreign_switch("flatten"),
    switch("merge"),
    switch("current"),
    switch("no-headers"),
];

static CONFIG: &[Command] = &[
    command(
        "view",
        "",
        "Display merged kubeconfig settings or a specified kubeconfig file",
        "[flags] [options]",
        CONFIG_FLAGS,
        config_cmd::view,
    ),
    refused("set-cluster", "", "Set a cluster entry in kubeconfig"),
    refused("set-credentials", "", "Set a user entry in kubeconfig"),
    command(
        "set-context",
        "",
        "Set a context entry in kubeconfig",
        "[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace] [options]",
        CONFIG_FLAGS,
        config_cmd::set_context,
    ),
    refused("set", "", "Set an individual value in a kubeconfig file"),
    refused("unset", "", "Unset an individual value in a kubeconfig file"),
    command(
        "current-context",
        "",
        "Display the current-context",
        "[flags] [options]",
        CONFIG_FLAGS,
        config_cmd::current_context,
    ),
    Command {
        aliases: &["use"],
        ..command(
            "use-context",
            "",
            "Set the current-context in a kubeconfig file",
            "CONTEXT_NAME [options]",
            CONFIG_FLAGS,
            config_cmd::use_context,
        )
    },
    command(
        "get-contexts",
        "",
        "Describe one or many contexts",
        "[(-o|--output=)name)] [options]",
        CONFIG_FLAGS,
        config_cmd::get_contexts,
    ),
    refused("get-clusters", "", "Display clusters defined in the kubeconfig"),
    refused("get-users", "", "Display users defined in the kubeconfig"),
    refused("delete-cluster", "", "Delete the specified cluster from the kubeconfig"),
    refused("delete-context", "", "Delete the specified context from the kubeconfig"),
    refused("delete-user", "", "Delete the specified user from the kubeconfig"),
    refused("rename-context", "", "Rename a context from the kubeconfig file"),
];

const MARK_FLAGS: &[Flag] = &[
    ALL,
    ALL_NAMESPACES,
    DRY_RUN,
    FIELD_SELECTOR,
    FILENAME,
    KUSTOMIZE,
    RECURSIVE,
    OUTPUT,
    TEMPLATE,
    MISSING_KEYS,
    SHOW_MANAGED,
    SELECTOR,
    MANAGER,
    RECORD,
    LOCAL,
    switch("list"),
    switch("overwrite"),
    foreign("resource-version"),
];

/// All commands, in the order in which kubectl adds them.
pub static COMMANDS: &[Command] = &[
    Command {
        subcommands: CREATE,
        ..command(
            "create",
            BEGINNER,
            "Create a resource from a file or from stdin",
            "-f FILENAME [options]",
            &[
                DRY_RUN,
                FILENAME,
                KUSTOMIZE,
                RECURSIVE,
                OUTPUT,
                TEMPLATE,
                MISSING_KEYS,
                SHOW_MANAGED,
                SAVE,
                MANAGER,
                VALIDATE,
                SELECTOR,
                RECORD,
                foreign_switch("edit"),
                foreign("raw"),
                foreign_switch("windows-line-endings"),
            ],
            create::run,
        )
    },
    command(
        "expose",
        BEGINNER,
        "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
        "(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] \
         [--external-ip=external-ip-of-service] [--type=type] [options]",
        &[
            DRY_RUN,
            FILENAME,
            KUSTOMIZE,
            RECURSIVE,
            OUTPUT,
            TEMPLATE,
            MISSING_KEYS,
            SHOW_MANAGED,
            SAVE,
            MANAGER,
            RECORD,
            value("selector"),
            value("port"),
            value("protocol"),
            value("target-port"),
            value("name"),
            value("type"),
            value("cluster-ip"),
            value("external-ip"),
            value("load-balancer-ip"),
            value("session-affinity"),
            ("labels", 'l', Kind::Text),
            foreign("overrides"),
            foreign("override-type"),
        ],
        run::expose,
    ),
    command(
        "run",
        BEGINNER,
        "Run a particular image on the cluster",
        "NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- \
         [COMMAND] [args...] [options]",
        &[
            DRY_RUN,
            OUTPUT,
            TEMPLATE,
            MISSING_KEYS,
            SHOW_MANAGED,
            SAVE,
            MANAGER,
            RECORD,
            STDIN,
            TTY,
            QUIET,
            POD_TIMEOUT,
            value("image"),
            value("port"),
            value("env"),
            value("restart"),
            value("annotations"),
            value("image-pull-policy"),
            value("overrides"),
            value("override-type"),
            ("labels", 'l', Kind::Text),
            switch("rm"),
            switch("attach"),
            switch("command"),
            switch("expose"),
            switch("leave-stdin-open"),
            foreign_switch("privileged"),
            CASCADE,
            number("grace-period"),
            switch("force"),
            time("timeout"),
            switch("wait"),
        ],
        run::run,
    ),
    group("set", BEGINNER, "Set specific features on objects", SET),
    refused("explain", INTERMEDIATE, "Get documentation for a resource"),
    command(
        "get",
        INTERMEDIATE,
        "Display one or many resources",
        "[(-o|--output=)json|yaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|\
         custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) \
         [flags] [options]",
        &[
            ALL_NAMESPACES,
            FIELD_SELECTOR,
            FILENAME,
            KUSTOMIZE,
            OUTPUT,
            RECURSIVE,
            SELECTOR,
            SHOW_MANAGED,
            TEMPLATE,
            MISSING_KEYS,
            CHUNK,
            switch("ignore-not-found"),
            ("label-columns", 'L', Kind::Text),
            switch("no-headers"),
            switch("output-watch-events"),
            foreign("raw"),
            switch("server-print"),
            switch("show-kind"),
            switch("show-labels"),
            value("sort-by"),
            foreign("subresource"),
            ("watch", 'w', Kind::Switch),
            switch("watch-only"),
        ],
        get::run,
    ),
    refused("edit", INTERMEDIATE, "Edit a resource on the server"),
    command(
        "delete",
        INTERMEDIATE,
        "Delete resources by file names, stdin, resources and names, or by resources and label selector",
        "([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)]) [options]",
        &[
            ALL,
            ALL_NAMESPACES,
            DRY_RUN,
            FIELD_SELECTOR,
            FILENAME,
            KUSTOMIZE,
            OUTPUT,
            RECURSIVE,
            SELECTOR,
            CASCADE,
            switch("force"),
            number("grace-period"),
            switch("ignore-not-found"),
            ("interactive", 'i', Kind::ForeignSwitch),
            switch("now"),
            foreign("raw"),
            time("timeout"),
            switch("wait"),
        ],
        delete::run,
    ),
    group("rollout", DEPLOY, "Manage the rollout of a resource", ROLLOUT),
    command(
        "scale",
        DEPLOY,
        "Set a new size for a deployment, replica set, or replication controller",
        "[--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME) [options]",
        &[
            ALL,
            DRY_RUN,
            FILENAME,
            KUSTOMIZE,
            RECURSIVE,
            OUTPUT,
            TEMPLATE,
            MISSING_KEYS,
            SHOW_MANAGED,
            SELECTOR,
            RECORD,
            number("replicas"),
            number("current-replicas"),
            foreign("resource-version"),
            time("timeout"),
        ],
        change::scale,
    ),
    refused(
        "autoscale",
        DEPLOY,
        "Auto-scale a deployment, replica set, stateful set, or replication controller",
    ),
    refused("certificate", CLUSTER, "Modify certificate resources"),
    Command {
        subcommands: CLUSTER_INFO,
        ..command(
            "cluster-info",
            CLUSTER,
            "Display cluster information",
            "[flags] [options]",
            &[],
            info::cluster_info,
        )
    },
    refused("top", CLUSTER, "Display resource (CPU/memory) usage"),
    command(
        "cordon",
        CLUSTER,
        "Mark node as unschedulable",
        "NODE [options]",
        &[DRY_RUN, SELECTOR],
        node::cordon,
    ),
    command(
        "uncordon",
        CLUSTER,
        "Mark node as schedulable",
        "NODE [options]",
        &[DRY_RUN, SELECTOR],
        node::uncordon,
    ),
    command(
        "drain",
        CLUSTER,
        "Drain node in preparation for maintenance",
        "NODE [options]",
        &[
            DRY_RUN,
            SELECTOR,
            CHUNK,
            switch("force"),
            switch("ignore-daemonsets"),
            switch("delete-emptydir-data"),
            switch("disable-eviction"),
            number("grace-period"),
            value("pod-selector"),
            number("skip-wait-for-delete-timeout"),
            time("timeout"),
        ],
        node::drain,
    ),
    command(
        "taint",
        CLUSTER,
        "Update the taints on one or more nodes",
        "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N [options]",
        &[
            ALL,
            DRY_RUN,
            OUTPUT,
            TEMPLATE,
            MISSING_KEYS,
            SHOW_MANAGED,
            SELECTOR,
            MANAGER,
            VALIDATE,
            switch("overwrite"),
        ],
        node::taint,
    ),
    command(
        "describe",
        TROUBLE,
        "Show details of a specific resource or group of resources",
        "(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [options]",
        &[ALL_NAMESPACES, FILENAME, KUSTOMIZE, RECURSIVE, SELECTOR, CHUNK, switch("show-events")],
        describe::run,
    ),
    command(
        "logs",
        TROUBLE,
        "Print the logs for a container in a pod",
        "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [options]",
        &[
            SELECTOR,
            CONTAINER,
            POD_TIMEOUT,
            switch("all-containers"),
            ("follow", 'f', Kind::Switch),
            ("previous", 'p', Kind::Switch),
            number("tail"),
            switch("prefix"),
            switch("ignore-errors"),
            number("max-log-requests"),
            foreign_switch("timestamps"),
            foreign("since"),
            foreign("since-time"),
            foreign("limit-bytes"),
            foreign_switch("insecure-skip-tls-verify-backend"),
        ],
        container::logs,
    ),
    command(
        "attach",
        TROUBLE,
        "Attach to a running container",
        "(POD | TYPE/NAME) -c CONTAINER [options]",
        &[CONTAINER, STDIN, TTY, QUIET, POD_TIMEOUT],
        container::attach,
    ),
    command(
        "exec",
        TROUBLE,
        "Execute a command in a container",
        "(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]",
        &[CONTAINER, STDIN, TTY, QUIET, POD_TIMEOUT, ("filename", 'f', Kind::Foreign)],
        container::exec,
    ),
    command(
        "port-forward",
        TROUBLE,
        "Forward one or more local ports to a pod",
        "TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
        &[value("address"), POD_TIMEOUT],
        port_forward::run,
    ),
    refused("proxy", TROUBLE, "Run a proxy to the Kubernetes API server"),
    refused("cp", TROUBLE, "Copy files and directories to and from containers"),
    refused("auth", TROUBLE, "Inspect authorization"),
    refused("debug", TROUBLE, "Create debugging sessions for troubleshooting workloads and nodes"),
    command(
        "events",
        TROUBLE,
        "List events",
        "[(-o|--output=)json|yaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] \
         [--for TYPE/NAME] [--watch] [--types=Normal,Warning] [options]",
        &[
            ALL_NAMESPACES,
            OUTPUT,
            TEMPLATE,
            MISSING_KEYS,
            SHOW_MANAGED,
            CHUNK,
            value("for"),
            value("types"),
            switch("no-headers"),
            ("watch", 'w', Kind::ForeignSwitch),
        ],
        info::events,
    ),
    refused("diff", ADVANCED, "Diff the live version against a would-be applied version"),
    command(
        "apply",
        ADVANCED,
        "Apply a configuration to a resource by file name or stdin",
        "(-f FILENAME | -k DIRECTORY) [options]",
        &[
            ALL,
            DRY_RUN,
            MANAGER,
            FILENAME,
            KUSTOMIZE,
            OUTPUT,
            RECORD,
            RECURSIVE,
            SELECTOR,
            SHOW_MANAGED,
            TEMPLATE,
            MISSING_KEYS,
            VALIDATE,
            CASCADE,
            switch("force"),
            foreign_switch("force-conflicts"),
            number("grace-period"),
            switch("openapi-patch"),
            switch("overwrite"),
            foreign_switch("prune"),
            foreign_switch("server-side"),
            time("timeout"),
            switch("wait"),
        ],
        apply::run,
    ),
    command(
        "patch",
        ADVANCED,
        "Update fields of a resource",
        "(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE] [options]",
        &[
            DRY_RUN,
            FILENAME,
            KUSTOMIZE,
            RECURSIVE,
            OUTPUT,
            TEMPLATE,
            MISSING_KEYS,
            SHOW_MANAGED,
            MANAGER,
            RECORD,
            LOCAL,
            ("patch", 'p', Kind::Text),
            value("patch-file"),
            value("type"),
            foreign("subresource"),
        ],
        change::patch,
    ),
    refused("replace", ADVANCED, "Replace a resource by file name or stdin"),
    command(
        "wait",
        ADVANCED,
        "Experimental: Wait for a specific condition on one or many resources",
        "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) \
         [--for=delete|--for condition=available|--for=jsonpath='{}'[=value]] [options]",
        &[
            ALL,
            ALL_NAMESPACES,
            FIELD_SELECTOR,
            FILENAME,
            RECURSIVE,
            OUTPUT,
            TEMPLATE,
            MISSING_KEYS,
            SHOW_MANAGED,
            SELECTOR,
            LOCAL,
            value("for"),
            time("timeout"),
        ],
        wait::run,
    ),
    refused("kustomize", ADVANCED, "Build a kustomization target from a directory or URL"),
    command(
        "label",
        SETTINGS,
        "Update the labels on a resource",
        "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version] [options]",
        MARK_FLAGS,
        change::label,
    ),
    command(
        "annotate",
        SETTINGS,
        "Update the annotations on a resource",
        "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version] [options]",
        MARK_FLAGS,
        change::annotate,
    ),
    refused(
        "completion",
        SETTINGS,
        "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)",
    ),
    group("config", OTHER, "Modify kubeconfig files", CONFIG),
    refused("plugin", OTHER, "Provides utilities for interacting with plugins"),
    command(
        "version",
        OTHER,
        "Print the client and server version information",
        "[flags] [options]",
        &[OUTPUT, switch("client"), switch("short")],
        info::version,
    ),
    command(
        "api-versions",
        OTHER,
        "Print the supported API versions on the server, in the form of \"group/version\"",
        "[options]",
        &[],
        info::api_versions,
    ),
    command(
        "api-resources",
        OTHER,
        "Print the supported API resources on the server",
        "[flags] [options]",
        &[
            OUTPUT,
            value("api-group"),
            switch("namespaced"),
            switch("no-headers"),
            switch("cached"),
            foreign("sort-by"),
            foreign("verbs"),
            foreign("categories"),
        ],
        info::api_resources,
    ),
    refused("options", "", "Print the list of flags inherited by all commands"),
];

static CLUSTER_INFO: &[Command] =
    &[refused("dump", "", "Dump relevant information for debugging and diagnosis")];
