//! The commands of `create`, `set`, `rollout`, `config` and `cluster-info`.

use super::make::*;
use crate::kubectl::command::Command;
use crate::kubectl::{access, auth, change, config_cmd, create, rollout};
use tools::pflag::{Flag, Kind};

const CREATED: &[&[Flag]] = &[PRINT, CREATING];

static CREATE_SERVICE: &[Command] = &[
    command(
        "clusterip",
        "",
        "Create a ClusterIP service",
        "NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none] [options]",
        &[PRINT, CREATING, &[value("tcp"), value("clusterip")]],
        create::cluster_ip,
    ),
    command(
        "nodeport",
        "",
        "Create a NodePort service",
        "NAME [--tcp=port:targetPort] [--dry-run=server|client|none] [options]",
        &[PRINT, CREATING, &[value("tcp"), number("node-port")]],
        create::node_port,
    ),
    command(
        "loadbalancer",
        "",
        "Create a LoadBalancer service",
        "NAME [--tcp=port:targetPort] [--dry-run=server|client|none] [options]",
        &[PRINT, CREATING, &[value("tcp")]],
        create::load_balancer,
    ),
    command(
        "externalname",
        "",
        "Create an ExternalName service",
        "NAME --external-name external.name [--dry-run=server|client|none] [options]",
        &[PRINT, CREATING, &[value("tcp"), value("external-name")]],
        create::external_name,
    ),
];

pub(super) static CREATE: &[Command] = &[
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
                PRINT,
                CREATING,
                &[
                    value("from-literal"),
                    value("from-file"),
                    foreign("from-env-file"),
                    foreign_switch("append-hash"),
                ],
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
            &[PRINT, CREATING, &[value("image"), number("port"), ("replicas", 'r', Kind::Int)]],
            create::deployment,
        )
    },
    command(
        "clusterrole",
        "",
        "Create a cluster role",
        "NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none] [options]",
        &[PRINT, CREATING, RULE, &[value("non-resource-url"), value("aggregation-rule")]],
        access::cluster_role,
    ),
    command(
        "clusterrolebinding",
        "",
        "Create a cluster role binding for a particular cluster role",
        "NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] \
         [--dry-run=server|client|none] [options]",
        &[PRINT, CREATING, SUBJECTS],
        access::cluster_role_binding,
    ),
    command(
        "role",
        "",
        "Create a role with single rule",
        "NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] \
         [--dry-run=server|client|none] [options]",
        &[PRINT, CREATING, RULE],
        access::role,
    ),
    command(
        "rolebinding",
        "",
        "Create a role binding for a particular role or cluster role",
        "NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] \
         [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]",
        &[PRINT, CREATING, SUBJECTS, &[value("role")]],
        access::role_binding,
    ),
    refused("poddisruptionbudget", "", "Create a pod disruption budget with the specified name"),
    refused("priorityclass", "", "Create a priority class with the specified name"),
    refused("job", "", "Create a job with the specified name"),
    refused("cronjob", "", "Create a cron job with the specified name"),
    refused("ingress", "", "Create an ingress with the specified name"),
    command(
        "token",
        "",
        "Request a service account token",
        "SERVICE_ACCOUNT_NAME [options]",
        &[
            PRINT,
            &[
                value("audience"),
                time("duration"),
                value("bound-object-kind"),
                value("bound-object-name"),
                foreign("bound-object-uid"),
            ],
        ],
        access::token,
    ),
];

const RULE: &[Flag] = &[value("verb"), value("resource"), value("resource-name")];
const SUBJECTS: &[Flag] = &[value("clusterrole"), value("user"), value("group"), value("serviceaccount")];

pub(super) static AUTH: &[Command] = &[
    command(
        "can-i",
        "",
        "Check whether an action is allowed",
        "VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [options]",
        &[&[ALL_NAMESPACES, QUIET, value("subresource"), switch("list"), switch("no-headers")]],
        auth::can_i,
    ),
    refused(
        "reconcile",
        "",
        "Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects",
    ),
    command(
        "whoami",
        "",
        "Experimental: Check self subject attributes",
        "[options]",
        &[PRINT],
        auth::who_am_i,
    ),
];

const SETTING: &[Flag] = &[ALL, DRY_RUN, SELECTOR, MANAGER, LOCAL];

pub(super) static SET: &[Command] = &[
    command(
        "image",
        "",
        "Update the image of a pod template",
        "(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N [options]",
        &[PRINT, FILES, SETTING, &[RECORD]],
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
        &[
            PRINT,
            FILES,
            SETTING,
            &[
                ("containers", 'c', Kind::Text),
                ("env", 'e', Kind::Foreign),
                foreign("from"),
                foreign("prefix"),
                foreign("keys"),
                foreign_switch("list"),
                foreign_switch("resolve"),
                switch("overwrite"),
            ],
        ],
        change::set_env,
    ),
];

const PAUSED: &[&[Flag]] = &[PRINT, FILES, &[SELECTOR, MANAGER]];

pub(super) static ROLLOUT: &[Command] = &[
    command(
        "history",
        "",
        "View rollout history",
        "(TYPE NAME | TYPE/NAME) [flags] [options]",
        &[PRINT, FILES, &[SELECTOR, number("revision")]],
        rollout::history,
    ),
    command(
        "pause",
        "",
        "Mark the provided resource as paused",
        "RESOURCE [options]",
        PAUSED,
        rollout::pause,
    ),
    command("resume", "", "Resume a paused resource", "RESOURCE [options]", PAUSED, rollout::resume),
    command(
        "undo",
        "",
        "Undo a previous rollout",
        "(TYPE NAME | TYPE/NAME) [flags] [options]",
        &[PRINT, FILES, &[SELECTOR, DRY_RUN, number("to-revision")]],
        rollout::undo,
    ),
    command(
        "status",
        "",
        "Show the status of the rollout",
        "(TYPE NAME | TYPE/NAME) [flags] [options]",
        &[FILES, &[SELECTOR, number("revision"), time("timeout"), ("watch", 'w', Kind::Switch)]],
        rollout::status,
    ),
    command("restart", "", "Restart a resource", "RESOURCE [options]", PAUSED, rollout::restart),
];

pub(super) static CONFIG: &[Command] = &[
    command(
        "view",
        "",
        "Display merged kubeconfig settings or a specified kubeconfig file",
        "[flags] [options]",
        &[PRINT, &[switch("raw"), switch("minify"), foreign_switch("flatten"), switch("merge")]],
        config_cmd::view,
    ),
    refused("set-cluster", "", "Set a cluster entry in kubeconfig"),
    refused("set-credentials", "", "Set a user entry in kubeconfig"),
    command(
        "set-context",
        "",
        "Set a context entry in kubeconfig",
        "[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace] [options]",
        &[&[switch("current")]],
        config_cmd::set_context,
    ),
    refused("set", "", "Set an individual value in a kubeconfig file"),
    refused("unset", "", "Unset an individual value in a kubeconfig file"),
    command(
        "current-context",
        "",
        "Display the current-context",
        "[flags] [options]",
        &[],
        config_cmd::current_context,
    ),
    Command {
        aliases: &["use"],
        ..command(
            "use-context",
            "",
            "Set the current-context in a kubeconfig file",
            "CONTEXT_NAME [options]",
            &[],
            config_cmd::use_context,
        )
    },
    command(
        "get-contexts",
        "",
        "Describe one or many contexts",
        "[(-o|--output=)name)] [options]",
        &[&[OUTPUT, switch("no-headers")]],
        config_cmd::get_contexts,
    ),
    refused("get-clusters", "", "Display clusters defined in the kubeconfig"),
    refused("get-users", "", "Display users defined in the kubeconfig"),
    refused("delete-cluster", "", "Delete the specified cluster from the kubeconfig"),
    refused("delete-context", "", "Delete the specified context from the kubeconfig"),
    refused("delete-user", "", "Delete the specified user from the kubeconfig"),
    refused("rename-context", "", "Rename a context from the kubeconfig file"),
];

pub(super) const MARK_FLAGS: &[&[Flag]] = &[
    PRINT,
    FILES,
    &[
        ALL,
        ALL_NAMESPACES,
        DRY_RUN,
        FIELD_SELECTOR,
        SELECTOR,
        MANAGER,
        RECORD,
        LOCAL,
        switch("list"),
        switch("overwrite"),
        foreign("resource-version"),
    ],
];

pub(super) static CLUSTER_INFO: &[Command] =
    &[refused("dump", "", "Dump relevant information for debugging and diagnosis")];
