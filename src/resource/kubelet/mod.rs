//! What the kubelet is told: flags over drop-ins over the configuration file over defaults.

mod node;
mod options;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde_json::Value;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Setting, Text, record};

use super::{Context, Resource, Selector, paths};
pub(super) use node::{Node, Nodes};
use options::{OPTIONS, Shape, Spec};

record! {
    /// One option of the kubelet of this host, be it a service of its own or a part of k3s, RKE2, MicroK8s or k0s. No record where the
    /// host has none: no process of it, and no unit. What was changed through the API server alone is not seen.
    pub struct KubeletOption("kubelet") {
        /// Name of the field in the kubelet's configuration, such as `authentication.anonymous.enabled`, whatever sets it.
        option: Text,
        /// What holds: `true` or `false`, numbers and texts as they are. Absent where nothing sets it and there is no default, or
        /// one that differs between releases.
        value: Setting,
        /// The elements of an option that is a list, else the one value. Empty where nothing is set.
        values: List,
        /// Where it is set: `flag`, `file` (drop-ins too) or `default`. Without a configuration file the insecure defaults of old hold.
        source: Text,
        /// Whether the file it names is there. Absent where it names none.
        file_exists: Flag,
        /// What the kubelet is part of: `kubelet`, `k3s`, `k3s-agent`, `kubelite`.
        program: Text,
    }
}

/// Finds the records.
pub struct Kubelet;

impl Resource for Kubelet {
    type Row = KubeletOption;
    const SELECTOR: &'static str = "the name of a field in the kubelet's configuration, with dots, or a glob";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let nodes = Nodes::of(context);
        let nodes = nodes.as_ref().as_ref().map_err(Clone::clone)?;
        let specs = || OPTIONS.iter().filter(|spec| of.picks(spec.field));
        Ok(nodes.kubelets.iter().flat_map(|node| specs().map(|spec| row(context, node, spec))).collect())
    }
}

/// What an option is, where it is set, and where that stands. `None` for what nothing sets and has no default.
type Told = Result<Option<(Vec<String>, &'static str, Origin)>, Gap>;

fn told(node: &Node, spec: &Spec) -> Told {
    if let Err(gap) = &node.flags {
        return Err(gap.clone());
    }
    if let Some((value, origin)) = node.flag(spec.flag) {
        let value = match spec.field.strip_prefix("featureGates.") {
            Some(gate) => value.split(',').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == gate).map(|(_, value)| value),
            None => Some(value),
        };
        if let Some(value) = value {
            return Ok(Some((split(spec, value), "flag", origin.clone())));
        }
    }
    if let Err(gap) = &node.files {
        return Err(gap.clone());
    }
    if let Some((value, file)) = node.field(spec.field) {
        let values = match value {
            Value::Array(values) => values.iter().map(text).collect::<Option<Vec<String>>>(),
            value => text(value).map(|text| vec![text]),
        };
        let malformed = || Gap::new(Origin::file(file), Reason::malformed(format!("{} is of the wrong kind", spec.field)));
        return values.map(|values| Some((values, "file", Origin::file(file)))).ok_or_else(malformed);
    }
    let default = if node.legacy { spec.legacy } else { spec.default };
    Ok(default.map(|value| (vec![value.to_owned()], "default", Origin::default_of("kubelet"))))
}

fn split(spec: &Spec, value: &str) -> Vec<String> {
    let value = match (spec.shape, value) {
        (Shape::Flag, "1" | "t" | "T" | "TRUE" | "True") => "true",
        (Shape::Flag, "0" | "f" | "F" | "FALSE" | "False") => "false",
        (_, value) => value,
    };
    if spec.shape == Shape::List { value.split(',').map(|part| part.trim().to_owned()).collect() } else { vec![value.to_owned()] }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn row(context: &Context<'_>, node: &Node, spec: &Spec) -> KubeletOption {
    let (option, program) = (Fact::derived(spec.field), Fact::derived(node.name));
    let (values, source, origin) = match told(node, spec) {
        Err(gap) => return KubeletOption { option, program, ..KubeletOption::unknown(&gap) },
        Ok(told) => told.unwrap_or_else(|| (Vec::new(), "default", Origin::default_of("kubelet"))),
    };
    // An empty text is as good as none.
    let is_set = values.iter().any(|value| !value.is_empty());
    let named = values.first().filter(|value| spec.shape == Shape::Path && value.starts_with('/'));
    KubeletOption {
        option,
        value: if is_set { Fact::Known(values.join(",").into(), origin.clone()) } else { Fact::Absent(origin.clone()) },
        values: Fact::Known(if is_set { values.iter().map(|value| value.as_str().into()).collect() } else { Vec::new() }, origin.clone()),
        source: Fact::Known(source.into(), origin.clone()),
        file_exists: named.map_or_else(|| Fact::Absent(origin), |path| paths::exists(context.host.stat(Path::new(path)))),
        program,
    }
}

/// The path an option of a node names, or why that is not known.
pub(super) fn path_of(node: &Node, field: &str) -> Result<Option<String>, Gap> {
    let Some(spec) = OPTIONS.iter().find(|spec| spec.field == field) else { return Ok(None) };
    Ok(told(node, spec)?.and_then(|(values, ..)| values.into_iter().next()).filter(|path| path.starts_with('/')))
}
