//! Volumes: `/volumes`.

use std::collections::BTreeMap;

use super::document;

document! {
    "PascalCase"
    /// The answer to `/volumes`.
    pub struct VolumeList {
        /// The volumes.
        volumes: Vec<Volume>,
    }
}

document! {
    "PascalCase"
    /// One volume.
    pub struct Volume {
        /// Name.
        name: String,
        /// Driver; only `local` can hide a host directory behind a name.
        driver: String,
        /// Where it is mounted on the host.
        mountpoint: String,
        /// Options of the driver: `type`, `o`, `device`.
        options: BTreeMap<String, String>,
    }
}

impl Volume {
    /// The host directory that a volume of the `local` driver binds, where it binds one.
    #[must_use]
    pub fn bound_directory(&self) -> Option<&str> {
        bound_directory(&self.driver, &self.options)
    }
}

/// The host directory that options of a volume driver bind: `o=bind` (or `rbind`) with `device=/path`.
pub(super) fn bound_directory<'a>(driver: &str, options: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let device = options.get("device").filter(|device| device.starts_with('/'))?;
    let binds = options.get("o").is_some_and(|o| o.split(',').any(|flag| matches!(flag.trim(), "bind" | "rbind")));
    (matches!(driver, "" | "local") && binds).then_some(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_may_hide_a_host_directory() {
        let list: VolumeList = super::super::read(
            br#"{"Volumes":[
            {"Driver":"local","Name":"etcvol","Mountpoint":"/d/volumes/etcvol/_data","Options":{"device":"/etc","o":"bind","type":"none"},"Scope":"local"},
            {"Driver":"local","Name":"docker.sock","Labels":null,"Options":null},
            {"Driver":"local","Name":"nfs","Options":{"device":":/export","o":"addr=10.0.0.1","type":"nfs"}},
            {"Driver":"local","Name":"disk","Options":{"device":"/dev/sdb1","o":"rw","type":"ext4"}}],"Warnings":null}"#,
        )
        .unwrap();
        let bound: Vec<_> = list.volumes.iter().map(Volume::bound_directory).collect();
        assert_eq!(bound, [Some("/etc"), None, None, None]);
        assert!(super::super::read::<VolumeList>(br#"{"Volumes":null}"#).unwrap().volumes.is_empty());
    }
}
