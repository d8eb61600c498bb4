//! Where the things an engine depends on are: which paths play which role.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Gap, Origin};
use crate::host::FileKind;
use crate::resource::docker::{Engine, homeless};
use crate::resource::systemd::Loaded;
use crate::resource::{Context, paths};

use super::{containerd, programs, sockets};

/// Where something is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Here, if it is there at all; and what says so.
    At(PathBuf, Origin),
    /// Nowhere: this engine does not use it. The path is where it would be.
    Unused(PathBuf, Origin),
    /// It cannot be told.
    Unknown(Gap),
}

impl Place {
    /// At a path that is a fact; where it is absent, unused at the usual path.
    pub(super) fn of(path: Fact<PathBuf>, usual: impl Into<PathBuf>) -> Self {
        match path {
            Fact::Known(path, origin) => Self::At(path, origin),
            Fact::Absent(origin) => Self::Unused(usual.into(), origin),
            Fact::Unknown(gap) => Self::Unknown(gap),
        }
    }

    /// At the path that a program uses when it is told nothing.
    pub(super) fn default_of(program: &str, path: impl Into<PathBuf>) -> Self {
        Self::At(path.into(), Origin::default_of(program))
    }
}

/// Finds the paths of one role. Every role has at least one place.
type Find = fn(&Context<'_>, &Engine) -> Vec<Place>;

/// The roles, in the order in which they are listed.
pub(super) const ROLES: &[(&str, Find)] = &[
    ("dockerd", programs::dockerd),
    ("containerd", programs::containerd),
    ("containerd_shim", |context, engine| programs::beside_containerd(context, engine, "containerd-shim")),
    ("containerd_shim_runc_v1", |context, engine| programs::beside_containerd(context, engine, "containerd-shim-runc-v1")),
    ("containerd_shim_runc_v2", |context, engine| programs::beside_containerd(context, engine, "containerd-shim-runc-v2")),
    ("runc", programs::runtimes),
    ("containerd_state", containerd::state),
    ("data_root", |context, engine| vec![Place::of(engine.data_root(context), "/var/lib/docker")]),
    ("config_dir", |_, engine| vec![Place::default_of("dockerd", config_dir(engine))]),
    ("config_file", config_file),
    ("service_unit", |_, engine| fragment(engine, &engine.told.service_unit, "docker.service")),
    ("socket_unit", |_, engine| fragment(engine, &engine.told.socket_unit, "docker.socket")),
    ("unit_dropin", unit_dropins),
    ("api_socket", sockets::api),
    ("containerd_socket", containerd::socket),
    ("containerd_config", containerd::config),
    ("default_file", |_, engine| vec![environment_file(engine, "/etc/default/docker")]),
    ("sysconfig_file", |_, engine| vec![environment_file(engine, "/etc/sysconfig/docker")]),
    ("registry_cert", registry_certs),
    ("tls_ca", |_, engine| vec![certificate(engine, "tlscacert", "ca.pem")]),
    ("tls_cert", |_, engine| vec![certificate(engine, "tlscert", "cert.pem")]),
    ("tls_key", |_, engine| vec![certificate(engine, "tlskey", "key.pem")]),
];

fn config_dir(engine: &Engine) -> PathBuf {
    if engine.rootless {
        return engine.home.join(".config/docker");
    }
    match engine.told.config_file().parent() {
        Some(parent) if parent.starts_with("/var/snap") => parent.to_path_buf(),
        _ => "/etc/docker".into(),
    }
}

fn config_file(_: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let origin = match engine.told.text("config-file") {
        Fact::Known(_, origin) => origin,
        Fact::Absent(_) | Fact::Unknown(_) => Origin::default_of("dockerd"),
    };
    vec![Place::At(engine.told.config_file().to_path_buf(), origin)]
}

/// Where packages put units.
fn usual_unit(engine: &Engine, name: &str) -> PathBuf {
    if engine.rootless { engine.home.join(".config/systemd/user").join(name) } else { Path::new("/usr/lib/systemd/system").join(name) }
}

/// The file of a unit that wins.
fn fragment(engine: &Engine, unit: &Fact<Loaded>, name: &str) -> Vec<Place> {
    vec![Place::of(unit.as_ref().map(|unit| unit.file.path.clone()), usual_unit(engine, name))]
}

/// The drop-ins of the service and of its socket.
fn unit_dropins(_: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let mut places = Vec::new();
    for unit in [&engine.told.service_unit, &engine.told.socket_unit] {
        match unit {
            Fact::Known(unit, _) => {
                places.extend(unit.dropins.iter().map(|path| Place::At(path.clone(), Origin::file(path.as_path()))));
                // A directory of drop-ins that cannot be looked into may hold any.
                places.extend(unit.gap.clone().map(Place::Unknown));
            }
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => places.push(Place::Unknown(gap.clone())),
        }
    }
    or_unused(places, usual_unit(engine, "docker.service.d"))
}

/// A file whose variables the unit of the system's engine may take up.
fn environment_file(engine: &Engine, path: &str) -> Place {
    if engine.rootless || !engine.told.has_unit {
        Place::Unused(path.into(), Origin::Derived)
    } else {
        Place::At(path.into(), Origin::Derived)
    }
}

/// Every regular file in the directory of a registry: CA certificates, client certificates and client keys.
fn registry_certs(context: &Context<'_>, engine: &Engine) -> Vec<Place> {
    let directory = config_dir(engine).join("certs.d");
    if let Some(gap) = homeless(&directory) {
        return vec![Place::Unknown(gap)];
    }
    let found = match paths::expand(context.host, &format!("{}/*/*", directory.display())) {
        Ok(found) => found,
        Err(gap) => return vec![Place::Unknown(gap)],
    };
    let is_file = |path: &PathBuf| !matches!(context.host.stat(path), Fact::Known(stat, _) if stat.kind != FileKind::File);
    let mut places: Vec<Place> = found
        .paths
        .into_iter()
        .filter(is_file)
        .map(|path| (Origin::file(directory.as_path()), path))
        .map(|(origin, path)| Place::At(path, origin))
        .collect();
    places.extend(found.gaps.into_iter().map(|(_, gap)| Place::Unknown(gap)));
    or_unused(places, directory)
}

/// A file of the API's TLS. dockerd turns TLS on when it is told `tls`, or `tlsverify` be it true or false.
fn certificate(engine: &Engine, option: &str, usual: &str) -> Place {
    let usual = engine.home.join(".docker").join(usual);
    let verify = engine.told.flag("tlsverify");
    let verify = if matches!(verify.origin(), Origin::Default { .. }) { verify } else { verify.map(|_| true) };
    let on = [engine.told.flag("tls"), verify];
    if on.iter().any(|fact| fact.known() == Some(&true)) {
        return match engine.told.text(option) {
            Fact::Absent(_) => Place::default_of("dockerd", usual),
            path => Place::of(path.map(|path| PathBuf::from(path.raw())), usual),
        };
    }
    match on.into_iter().find_map(|fact| fact.into_result().err()) {
        Some(gap) => Place::Unknown(gap),
        None => Place::Unused(usual, Origin::default_of("dockerd")),
    }
}

/// A role nothing plays has one record that says so.
pub(super) fn or_unused(mut places: Vec<Place>, usual: PathBuf) -> Vec<Place> {
    if places.is_empty() {
        let origin = Origin::file(usual.as_path());
        places.push(Place::Unused(usual, origin));
    }
    places
}
