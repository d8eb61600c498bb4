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
    ContainerConfig, ContainerInspect, ContainerListEntry, ContainerState, Endpoint, Health, Healthcheck, Mount, NetworkSettings,
    PortBinding,
};
pub use environment::{Label, Variable};
pub use host_config::{
    BindOptions, Device, DeviceRequest, DriverConfig, HostConfig, LogConfig, MountRequest, RestartPolicy, Ulimit, VolumeOptions,
};
pub use image::{Descriptor, HistoryEntry, ImageConfig, ImageInspect, ImageListEntry, InspectedRootFs, Manifest, Platform, RootFs};
pub use volume::{Volume, VolumeList};

use serde::{Deserialize, Deserializer};

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
