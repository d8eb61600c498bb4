//! The JSON documents of the engine API, with the members that facts are made from.
//!
//! Engines write `null`, an empty value or nothing at all for the same thing, and differ in that between
//! versions: every member that is missing or `null` reads as its default, and unknown ones are passed over.
//! Members whose absence means something are `Option`.

mod container;
mod environment;
mod host_config;
mod image;
mod volume;

pub use container::{
    ContainerConfig, ContainerInspect, ContainerListEntry, ContainerState, Endpoint, Health, Healthcheck, KIND_LABELS, KindLabels,
    ListedPort, Mount, NetworkSettings, PortBinding,
};
pub use environment::{Label, Variable};
pub use host_config::{
    BindOptions, Device, DeviceRequest, DriverConfig, HostConfig, LogConfig, MountRequest, RestartPolicy, Ulimit, VolumeOptions,
};
pub use image::{Descriptor, HistoryEntry, ImageConfig, ImageInspect, ImageListEntry, InspectedRootFs, Manifest, Platform, RootFs};
pub use volume::{Volume, VolumeList};

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Reads `null` as the default.
fn nullable<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// Declares a document whose members may all be missing or `null`.
macro_rules! document {
    ($case:literal $(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident : $kind:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default, rename_all = $case)]
        pub struct $name {
            $($(#[$field_meta])* #[serde(deserialize_with = "super::nullable")] pub $field: $kind,)+
        }
    };
}
use document;

/// Reads a document of an engine; the message says where it stops making sense.
pub fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

/// The same, of a document that tells nothing without some of its members. Engines always send those, so where one is missing,
/// or no object, its defaults would be made up.
///
/// # Errors
/// Where it is no such document; the message says where it stops making sense.
pub fn read_whole<'a, T: Deserialize<'a>>(json: &'a [u8], members: &[&str]) -> Result<T, String> {
    let all: BTreeMap<String, &'a RawValue> = read(json)?;
    match members.iter().find(|name| !all.get(**name).is_some_and(|value| value.get().starts_with('{'))) {
        Some(name) => Err(format!("there is no object `{name}`")),
        None => read(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_its_parts_is_none() {
        let read = |json: &str| read_whole::<ContainerInspect>(json.as_bytes(), &["State", "HostConfig"]).map(|read| read.id);
        assert_eq!(read(r#"{"Id":"ab","State":{},"HostConfig":{"Privileged":false}}"#), Ok("ab".to_owned()));
        for part in ["null", "[]", "\"x\"", "7"] {
            assert_eq!(
                read(&format!(r#"{{"Id":"ab","State":{{}},"HostConfig":{part}}}"#)),
                Err("there is no object `HostConfig`".to_owned())
            );
        }
        assert_eq!(read(r#"{"Id":"ab"}"#), Err("there is no object `State`".to_owned()));
        assert!(read("[]").is_err());
    }
}
