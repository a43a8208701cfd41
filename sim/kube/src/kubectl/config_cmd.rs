//! `kubectl config`.

use serde_json::{Value, json};

use super::cli::{Cli, Then};
use super::config::{home_file, named_entry, write_file};
use super::failure::Failure;
use super::output::Format;
use super::table::Table;

/// Runs `config view`.
pub fn view(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let mut file = match &cli.config.file {
        Value::Null => json!({
            "apiVersion": "v1", "clusters": null, "contexts": null, "current-context": "", "kind": "Config",
            "preferences": {}, "users": null,
        }),
        file => file.clone(),
    };
    if let Some(fields) = file.as_object_mut() {
        fields.entry("preferences").or_insert_with(|| json!({}));
    }
    if !cli.flags.on("raw") {
        for (list, entry, secret, shown) in [
            ("clusters", "cluster", "certificate-authority-data", "DATA+OMITTED"),
            ("users", "user", "client-certificate-data", "DATA+OMITTED"),
            ("users", "user", "client-key-data", "DATA+OMITTED"),
            ("users", "user", "token", "REDACTED"),
        ] {
            for item in file[list].as_array_mut().into_iter().flatten() {
                if item[entry].get(secret).is_some() {
                    item[entry][secret] = shown.into();
                }
            }
        }
    }
    if cli.flags.on("minify") {
        let current = cli.config.context.clone();
        let context = named_entry(&file, "contexts", &current).cloned().unwrap_or_default();
        let keep = |list: &mut Value, name: &str| {
            if let Some(items) = list.as_array_mut() {
                items.retain(|item| item["name"].as_str() == Some(name));
            }
        };
        keep(&mut file["contexts"], &current);
        keep(&mut file["clusters"], context["context"]["cluster"].as_str().unwrap_or_default());
        keep(&mut file["users"], context["context"]["user"].as_str().unwrap_or_default());
    }
    let format = match Format::of(cli)? {
        Format::Table { .. } => Format::Yaml,
        format => format,
    };
    cli.out(&format.print(&file, true));
    Ok(Then::Exit(0))
}

/// Runs `config current-context`.
pub fn current_context(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    match cli.config.file["current-context"].as_str().filter(|name| !name.is_empty()) {
        None => Err(Failure::Own("current-context is not set".to_owned())),
        Some(name) => {
            let line = format!("{name}\n");
            cli.out(&line);
            Ok(Then::Exit(0))
        }
    }
}

/// Runs `config get-contexts`.
pub fn get_contexts(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let current = cli.config.file["current-context"].as_str().unwrap_or_default().to_owned();
    let mut contexts = cli.config.file["contexts"].as_array().cloned().unwrap_or_default();
    contexts.sort_by_key(|context| context["name"].as_str().map(str::to_owned));
    let wanted = cli.flags.words.clone();
    let name = |context: &Value| context["name"].as_str().unwrap_or_default().to_owned();
    let missing = wanted.iter().filter(|one| !contexts.iter().any(|context| name(context) == **one));
    let failures: Vec<Failure> =
        missing.map(|one| Failure::Own(format!("context {one} not found"))).collect();
    contexts.retain(|context| wanted.is_empty() || wanted.contains(&name(context)));
    if cli.flags.get("output") == Some("name") {
        let lines: String = contexts.iter().map(|context| format!("{}\n", name(context))).collect();
        cli.out(&lines);
        return Failure::of(failures).map(|()| Then::Exit(0));
    }
    let mut table = Table::default();
    if !cli.flags.on("no-headers") {
        table.row(["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"].map(str::to_owned).to_vec());
    }
    for context in &contexts {
        let field = |field: &str| context["context"][field].as_str().unwrap_or_default().to_owned();
        let mark = if name(context) == current { "*" } else { "" };
        table.row(vec![mark.to_owned(), name(context), field("cluster"), field("user"), field("namespace")]);
    }
    cli.out(&table.flush());
    Failure::of(failures).map(|()| Then::Exit(0))
}

fn save(cli: &mut Cli<'_>, file: &Value) -> Result<(), Failure> {
    let path = cli.config.path.clone().unwrap_or_else(|| home_file(cli.sys));
    let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
    tools::file::make_dirs(cli.sys, folder);
    write_file(cli.sys, &path, &super::yaml::print(file))
        .map_err(|errno| Failure::Own(format!("open {path}: {}", crate::cni::go_text(errno))))
}

/// Runs `config use-context`.
pub fn use_context(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let [name] = &cli.flags.words[..] else {
        return Err(cli.usage(format!("Unexpected args: [{}]", cli.flags.words.join(" "))));
    };
    let name = name.clone();
    if named_entry(&cli.config.file, "contexts", &name).is_none() {
        return Err(Failure::Own(format!("no context exists with the name: {name:?}")));
    }
    let mut file = cli.config.file.clone();
    file["current-context"] = name.clone().into();
    save(cli, &file)?;
    cli.out(&format!("Switched to context {name:?}.\n"));
    Ok(Then::Exit(0))
}

/// Runs `config set-context`.
pub fn set_context(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let current = cli.flags.on("current");
    let name = match (&cli.flags.words[..], current) {
        ([], true) => match cli.config.file["current-context"].as_str().filter(|name| !name.is_empty()) {
            Some(name) => name.to_owned(),
            None => return Err(Failure::Own("no current context is set".to_owned())),
        },
        ([name], false) => name.clone(),
        ([], false) => {
            return Err(Failure::Own("you must specify a non-empty context name or --current".to_owned()));
        }
        ([_], true) => {
            return Err(Failure::Own("you cannot specify both a context name and --current".to_owned()));
        }
        (words, _) => return Err(cli.usage(format!("Unexpected args: [{}]", words.join(" ")))),
    };
    let mut file = match &cli.config.file {
        Value::Null => json!({"apiVersion": "v1", "kind": "Config"}),
        file => file.clone(),
    };
    let known = named_entry(&file, "contexts", &name).is_some();
    if !file["contexts"].is_array() {
        file["contexts"] = json!([]);
    }
    if let (false, Some(contexts)) = (known, file["contexts"].as_array_mut()) {
        contexts.push(json!({"context": {}, "name": name}));
    }
    for context in file["contexts"].as_array_mut().into_iter().flatten() {
        if context["name"].as_str() != Some(&name) {
            continue;
        }
        for field in ["cluster", "user", "namespace"] {
            if let Some(value) = cli.flags.get(field) {
                context["context"][field] = value.into();
            }
        }
    }
    save(cli, &file)?;
    cli.out(&format!("Context {name:?} {}.\n", if known { "modified" } else { "created" }));
    Ok(Then::Exit(0))
}
