//! What a command line names: objects in files, by type and name, by selector.

use serde_json::Value;
use world::{Store, Sys};

use super::cli::Cli;
use super::failure::Failure;
use super::kinds::{self, Type};
use super::selector::{FieldSelector, LabelSelector};
use crate::api::manifest::Places;
use crate::api::{ApiError, Reason};

/// An object that a command is about.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its kind.
    pub kind: Type,
    /// Its namespace; empty for kinds without.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// As it is in the cluster, or as a file has it.
    pub object: Value,
    /// The file.
    pub source: Option<String>,
    /// Where its fields stand in it.
    pub places: Option<Places>,
}

impl Target {
    /// Of an object that has a namespace if it needs one.
    pub fn new(kind: Type, object: Value, source: Option<String>) -> Self {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let namespace = if kind.namespaced { text("namespace") } else { String::new() };
        Self { kind, namespace, name: text("name"), object, source, places: None }
    }

    /// The refusal of the object that a file has, with the places of the fields that are wrong.
    pub fn blame(&self, failure: Failure) -> Failure {
        failure.at(self.source.as_deref(), self.places.as_ref())
    }

    /// `pod/web`, `deployment.apps/web`.
    pub fn printed(&self) -> String {
        super::output::name(&self.object)
    }

    /// Under what the API server keeps it.
    fn key(&self) -> String {
        self.kind.key(&self.name, &self.object)
    }

    /// The object as it is in the cluster.
    ///
    /// # Errors
    /// It isn't there.
    pub fn current(&self, store: &Store) -> Result<Value, ApiError> {
        let found = (self.kind.resource.get)(store, self.kind.home(&self.namespace), &self.key());
        found.ok_or_else(|| self.kind.not_found(&self.name))
    }

    /// Deletes it, with these seconds of grace.
    ///
    /// # Errors
    /// It isn't there.
    pub fn delete(&self, sys: &mut dyn Sys, grace: Option<i64>) -> Result<(), ApiError> {
        (self.kind.resource.delete)(sys, self.kind.home(&self.namespace), &self.key(), grace)
    }
}

/// Objects of one kind, as they were asked for.
#[derive(Clone, Debug)]
pub struct Group {
    /// The kind.
    pub kind: Type,
    /// The objects.
    pub objects: Vec<Value>,
}

/// What was found, and what wasn't.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What was found, in the order in which it was asked for.
    pub groups: Vec<Group>,
    /// What wasn't.
    pub failures: Vec<Failure>,
    /// Whether objects were asked for by name.
    pub by_name: bool,
}

impl Found {
    /// All objects.
    pub fn targets(self) -> Vec<Target> {
        let groups = self.groups.into_iter();
        groups
            .flat_map(|group| {
                let kind = group.kind;
                group.objects.into_iter().map(move |object| Target::new(kind, object, None))
            })
            .collect()
    }
}

/// What words mean that name types and objects.
#[derive(Clone, Debug)]
pub enum Words {
    /// All objects of these types.
    Types(Vec<Type>),
    /// These objects.
    Names(Vec<(Type, String)>),
}

const CATEGORY_ALL: &[&str] = &[
    "pods",
    "replicationcontrollers",
    "services",
    "daemonsets",
    "deployments",
    "replicasets",
    "statefulsets",
    "horizontalpodautoscalers",
    "cronjobs",
    "jobs",
];

fn types(word: &str) -> Result<Vec<Type>, Failure> {
    let mut found: Vec<Type> = Vec::new();
    for word in word.split(',') {
        if word == "all" {
            found.extend(CATEGORY_ALL.iter().filter_map(|name| kinds::find(name)));
            continue;
        }
        let known = kinds::find(word);
        let kind =
            known.ok_or_else(|| Failure::Own(format!("the server doesn't have a resource type {word:?}")))?;
        if !found.contains(&kind) {
            found.push(kind);
        }
    }
    Ok(found)
}

/// Reads `TYPE[,TYPE] [NAME…]` or `TYPE/NAME…`. Kubernetes: `ResourceTypeOrNameArgs`.
///
/// # Errors
/// There is no such type; the two forms are mixed.
pub fn words(words: &[String]) -> Result<Words, Failure> {
    if words.iter().any(|word| word.contains('/')) {
        let mut names = Vec::new();
        for word in words {
            let Some((kind, name)) = word.split_once('/') else {
                let example = "(e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource \
                               resource/<resource_name>'";
                return Err(Failure::Own(format!(
                    "there is no need to specify a resource type as a separate argument when passing arguments in \
                     resource/name form {example}"
                )));
            };
            if kind.is_empty() || name.is_empty() {
                return Err(Failure::Own(
                    "arguments in resource/name form must have a single resource and name".to_owned(),
                ));
            }
            names.extend(types(kind)?.into_iter().map(|kind| (kind, name.to_owned())));
        }
        return Ok(Words::Names(names));
    }
    let Some((first, names)) = words.split_first() else { return Ok(Words::Types(Vec::new())) };
    let types = types(first)?;
    if names.is_empty() {
        return Ok(Words::Types(types));
    }
    let pairs = types.iter().flat_map(|kind| names.iter().map(|name| (*kind, name.clone())));
    Ok(Words::Names(pairs.collect()))
}

const NOTHING_NAMED: &str = "You must provide one or more resources by argument or filename.\nExample resource \
                             specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> \
                             <name>'\n   '<resource>'";

/// Whether a type alone stands for all its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeAlone {
    /// Yes: `kubectl get pods`.
    MeansAll,
    /// Only with `--all` or a selector: `kubectl delete pods`.
    NeedsMore,
}

/// Finds what the words, the selectors and `-A` name.
///
/// # Errors
/// The command line is wrong. What isn't there is in [`Found::failures`].
pub fn find(cli: &mut Cli<'_>, given: &[String], alone: TypeAlone) -> Result<Found, Failure> {
    let everywhere = cli.flags.on("all-namespaces");
    let (labels, fields) = selectors(cli)?;
    let selects = labels.is_some() || fields.is_some();
    let mut found = Found::default();
    match words(given)? {
        Words::Types(types) if types.is_empty() => return Err(Failure::Own(NOTHING_NAMED.to_owned())),
        Words::Types(types) => {
            if alone == TypeAlone::NeedsMore && !selects && !cli.flags.on("all") {
                return Err(Failure::Own("resource(s) were provided, but no name was specified".to_owned()));
            }
            cli.config.connect(cli.sys)?;
            let namespace = cli.config.namespace.clone();
            let scope = (!everywhere).then_some(namespace.as_str());
            for kind in types {
                if let Some(field) = fields.as_ref().and_then(|fields| fields.unknown(kind.kind)) {
                    let why = format!(
                        "Unable to find {:?} that match label selector {:?}, field selector {:?}: field label not \
                         supported: {field}",
                        kind.group_version_resource(),
                        cli.flags.get("selector").unwrap_or_default(),
                        cli.flags.get("field-selector").unwrap_or_default()
                    );
                    found.failures.push(ApiError::new(Reason::BadRequest, why).into());
                    continue;
                }
                if let Err(failure) = cli.may("list", &kind, scope, "") {
                    found.failures.push(failure);
                    continue;
                }
                let mut objects = kind.list(cli.sys.store(), scope);
                objects.retain(|object| {
                    labels.as_ref().is_none_or(|labels| labels.selects(object))
                        && fields.as_ref().is_none_or(|fields| fields.selects(object))
                });
                found.groups.push(Group { kind, objects });
            }
        }
        Words::Names(names) => {
            if labels.is_some() {
                return Err(Failure::Own("name cannot be provided when a selector is specified".to_owned()));
            }
            if cli.flags.on("all") {
                return Err(Failure::Own(
                    "setting 'all' parameter but found a non empty selector. ".to_owned(),
                ));
            }
            if everywhere {
                return Err(Failure::Own(
                    "a resource cannot be retrieved by name across all namespaces".to_owned(),
                ));
            }
            cli.config.connect(cli.sys)?;
            found.by_name = true;
            for (kind, name) in names {
                let may = cli.may("get", &kind, Some(&cli.config.namespace), &name);
                let got = may.and_then(|()| Ok(kind.get(cli.sys.store(), &cli.config.namespace, &name)?));
                match got {
                    Ok(object) => found.groups.push(Group { kind, objects: vec![object] }),
                    Err(failure) => found.failures.push(failure),
                }
            }
        }
    }
    Ok(found)
}

/// `-l` and `--field-selector`.
///
/// # Errors
/// They are none.
pub fn selectors(cli: &Cli<'_>) -> Result<(Option<LabelSelector>, Option<FieldSelector>), Failure> {
    let given = |name: &str| cli.flags.get(name).filter(|text| !text.is_empty());
    let labels = given("selector").map(LabelSelector::parse).transpose()?;
    let fields = given("field-selector").map(FieldSelector::parse).transpose()?;
    Ok((labels, fields))
}

/// The one object that `TYPE/NAME`, `TYPE NAME` or (with a default type) `NAME` names.
///
/// # Errors
/// It isn't there.
pub fn one(cli: &mut Cli<'_>, word: &str, default: &str) -> Result<Target, Failure> {
    let given = match word.contains('/') {
        true => word.to_owned(),
        false => format!("{default}/{word}"),
    };
    let Words::Names(names) = words(&[given])? else { return Err(Failure::Own(NOTHING_NAMED.to_owned())) };
    let [(kind, name)] = &names[..] else {
        return Err(Failure::Own(format!("{word} names more than one object")));
    };
    cli.config.connect(cli.sys)?;
    let object = kind.get(cli.sys.store(), &cli.config.namespace, name)?;
    Ok(Target::new(*kind, object, None))
}

/// Words and files together: what `label`, `scale`, `wait` and kin are about.
///
/// # Errors
/// The command line is wrong, or something isn't there.
pub fn live(cli: &mut Cli<'_>, given: &[String], alone: TypeAlone) -> Result<Vec<Target>, Failure> {
    if cli.flags.get("filename").is_none() {
        let mut found = find(cli, given, alone)?;
        Failure::of(std::mem::take(&mut found.failures))?;
        return Ok(found.targets());
    }
    if !given.is_empty() {
        return Err(Failure::Own(
            "when paths, URLs, or stdin is provided as resource input, you may not specify \
             resource arguments as well"
                .to_owned(),
        ));
    }
    let targets = super::files::read(cli)?;
    cli.config.connect(cli.sys)?;
    let mut all = Vec::new();
    for target in targets {
        let object = target.current(cli.sys.store())?;
        all.push(Target { object, ..target });
    }
    Ok(all)
}
