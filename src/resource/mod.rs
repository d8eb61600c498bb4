//! What there is to know about a host: one file per kind of thing.
//!
//! A resource turns a host into typed records. It knows the semantics (which file wins, what a
//! default is, what an alias means); checks only claim things about its records.

mod accounts;
mod boot;
mod apt;
mod dnf;
mod container_os;
mod docker;
mod home;
mod init;
mod kernel;
mod layered;
mod packages;
mod paths;
mod process_table;
mod side_by_side;
mod sudoers;
mod systemd;
mod unit_state;

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use crate::fact::{Gap, Origin, Reason, Record, Row, Schema};
use crate::host::Host;
pub use crate::parse::glob::matches as glob_matches;

/// Which records of a resource are wanted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Selector {
    /// All there are: `"*"`.
    All,
    /// Those with these names; a name may be a glob where the resource says so.
    Keys(Vec<String>),
    /// Named arguments, for the few resources that need more than a name.
    Named(BTreeMap<String, Vec<String>>),
}

/// One question to a resource. Asked once per run, however many checks need it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Query {
    /// Name of the resource.
    pub resource: &'static str,
    /// Which records.
    pub of: Selector,
}

/// A kind of thing on a host.
pub trait Resource {
    /// What its records are.
    type Row: Row;

    /// How the selector is read, for people: what a key is, whether globs work, which named arguments there are.
    const SELECTOR: &'static str;

    /// The field that keys are compared with: the first one, unless said otherwise.
    const KEY: &'static str = "";

    /// Named arguments it understands; empty for resources selected by key.
    const ARGUMENTS: &'static [&'static str] = &[];

    /// Whether `"*"` is meaningful: there is a finite list of such things to find.
    const ENUMERABLE: bool = true;

    /// Whether it keeps to the deadline of the whole collection by itself, as a walk of whole file systems does: then no shorter limit
    /// applies to it, and it is begun before others.
    const OWN_PACE: bool = false;

    /// The records. A selector that names things decides for itself whether a missing thing is a
    /// record that says so (`file`, `service`, `sysctl`) or no record (`user`, `container`).
    /// `Err` where nothing could be enumerated at all; a partial look returns records with unknown facts.
    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap>;

    /// The same as records of no type. A resource whose rows are kept for others too makes them one by one.
    fn records(context: &Context<'_>, of: &Selector) -> Result<Vec<Record>, Gap> {
        let rows = Self::collect(context, of)?;
        // Not `collect`, which would keep the room the rows took for the much smaller records.
        let mut records = Vec::with_capacity(rows.len());
        records.extend(rows.into_iter().map(Row::into_record));
        Ok(records)
    }
}

/// Something worked out once; threads that want it meanwhile wait.
type Memo = Arc<OnceLock<Arc<dyn Any + Send + Sync>>>;

/// What a resource may use while it collects.
pub struct Context<'a> {
    /// The host to look at.
    pub host: &'a dyn Host,
    wanted: BTreeMap<&'static str, BTreeSet<String>>,
    asked: Option<BTreeSet<Query>>,
    /// When whoever keeps to his own pace has to be done.
    pub until: Option<Instant>,
    memo: Mutex<HashMap<TypeId, Memo>>,
}

impl<'a> Context<'a> {
    /// A context in which every field of every resource is wanted.
    #[must_use]
    pub fn new(host: &'a dyn Host) -> Self {
        Self { host, wanted: BTreeMap::new(), asked: None, until: None, memo: Mutex::default() }
    }

    /// Says which fields of which resources any check looks at; a resource that is not named is wanted whole.
    #[must_use]
    pub fn wanting(mut self, wanted: BTreeMap<&'static str, BTreeSet<String>>) -> Self {
        self.wanted = wanted;
        self
    }

    /// Says what will be asked at most, so that what answers several questions at once answers no others.
    #[must_use]
    pub fn asking(mut self, asked: BTreeSet<Query>) -> Self {
        self.asked = Some(asked);
        self
    }

    /// Says when whoever keeps to his own pace has to be done.
    #[must_use]
    pub fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// Which records of a resource will be asked for at most; `None` where that is not known.
    pub fn asks<'c>(&'c self, resource: &'c str) -> Option<impl Iterator<Item = &'c Selector>> {
        let asked = self.asked.as_ref()?;
        Some(asked.iter().filter(move |query| query.resource == resource).map(|query| &query.of))
    }

    /// Whether anybody asked for a field, so that costly ones are left out otherwise.
    /// A field that is not wanted is given as `Unknown` with `NotCollected`. Pointers are fields that begin with `/`.
    #[must_use]
    pub fn wants(&self, resource: &str, field: &str) -> bool {
        self.wanted.get(resource).is_none_or(|fields| fields.contains(field))
    }

    /// Whether anybody points into a resource's documents.
    #[must_use]
    pub fn wants_document(&self, resource: &str) -> bool {
        self.wanted.get(resource).is_none_or(|fields| fields.iter().any(|field| field.starts_with('/')))
    }

    /// Something that several resources share, worked out once per run: keyed by its type.
    pub fn once<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        let cell = {
            let mut memo = self.memo.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            memo.entry(TypeId::of::<T>()).or_default().clone()
        };
        let shared = cell.get_or_init(|| Arc::new(make(self)) as Arc<dyn Any + Send + Sync>).clone();
        #[expect(clippy::expect_used, reason = "the key is the type")]
        shared.downcast::<T>().expect("memo entries are keyed by their own type")
    }

    /// Lets go of all that was shared, once nothing more is asked.
    pub fn forget(&self) {
        self.memo.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }
}

/// A registered resource.
pub struct Entry {
    /// What its records look like.
    pub schema: &'static Schema,
    /// How its selector is read.
    pub selector: &'static str,
    /// The field that keys are compared with; empty for the first.
    pub key: &'static str,
    /// Named arguments it understands.
    pub arguments: &'static [&'static str],
    /// Whether `"*"` is meaningful.
    pub enumerable: bool,
    /// Whether it keeps to the deadline by itself.
    pub own_pace: bool,
    /// Collects records, type-erased.
    pub collect: fn(&Context<'_>, &Selector) -> Result<Vec<Record>, Gap>,
}

/// Declares the modules of the resources and registers them, in this order.
macro_rules! resources {
    ($($module:ident :: $name:ident),+ $(,)?) => {
        $(pub mod $module;)+

        /// Every resource there is.
        pub static RESOURCES: &[Entry] = &[$(Entry {
            schema: <<$module::$name as Resource>::Row as Row>::SCHEMA,
            selector: $module::$name::SELECTOR,
            key: $module::$name::KEY,
            arguments: $module::$name::ARGUMENTS,
            enumerable: $module::$name::ENUMERABLE,
            own_pace: $module::$name::OWN_PACE,
            collect: $module::$name::records,
        }),+];
    };
}

resources! {
    os::Os,
    mount::Mounts,
    file::Files,
    tree_file::TreeFiles,
    sysctl::Sysctls,
    kernel_module::KernelModules,
    boot_option::BootOptions,
    boot_loader::BootLoaders,
    limit::Limits,
    core_dump::CoreDumps,
    apparmor_profile::ApparmorProfiles,
    selinux::SelinuxState,
    crypto_policy::CryptoPolicies,
    dconf::Dconfs,
    storage::Storages,
    crypttab::Crypttabs,
    service::Services,
    process::Processes,
    interface::Interfaces,
    port::Ports,
    packet_filter::PacketFilters,
    packet_filter_chain::PacketFilterChains,
    firewall::Firewalls,
    package::PackageRows,
    package_update::PackageUpdates,
    package_index::PackageIndexes,
    repository::Repositories,
    reboot::Reboots,
    automatic_updates::AutomaticUpdates,
    user::Users,
    group::Groups,
    account_file::AccountFiles,
    shells::Shells,
    login_defs::LoginDefs,
    pam::Pam,
    pam_module::PamModules,
    pwquality::Pwquality,
    pwhistory::Pwhistory,
    faillock::Faillocks,
    lockout::Lockouts,
    authselect::Authselect,
    shell_setting::ShellSettings,
    root_path::RootPaths,
    home_file::HomeFiles,
    audit_rule::AuditRules,
    audit_system::AuditSystems,
    audit_event::AuditEvents,
    audit_file::AuditFiles,
    auditd_setting::AuditdSettings,
    systemd_setting::SystemdSettings,
    log_system::LogSystems,
    rsyslog::Rsyslogs,
    log_file::LogFiles,
    log_shipper::LogShippers,
    time_sync::TimeSyncs,
    aide::Aides,
    aide_path::AidePaths,
    security_product::SecurityProducts,
    engine::Engines,
    engine_component::EngineComponents,
    docker_daemon::DockerDaemon,
    docker_file::DockerFiles,
    container::Containers,
    container_process::ContainerProcesses,
    image::Images,
    network::Networks,
    swarm::Swarms,
    registry_login::RegistryLogins,
    sshd::Sshd,
    sshd_file::SshdFiles,
    ssh_key::SshKeys,
    ssh_authorized_keys::AuthorizedKeys,
    sudo_default::SudoDefaults,
    sudo_rule::SudoRules,
    su::Sus,
    banner::Banners,
    kubelet::Kubelet,
    kubelet_file::KubeletFiles,
    kube_proxy::KubeProxies,
    json::Json,
    ini::Ini,
    line::Lines,
}

/// The resource with a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    RESOURCES.iter().find(|entry| entry.schema.resource == name)
}

impl Selector {
    /// The values of a named argument; none where it is not given.
    #[must_use]
    pub fn argument(&self, name: &str) -> &[String] {
        match self {
            Self::Named(arguments) => arguments.get(name).map(Vec::as_slice).unwrap_or_default(),
            Self::All | Self::Keys(_) => &[],
        }
    }

    /// The values of a named argument that must be given.
    fn required(&self, name: &str) -> Result<&[String], Gap> {
        match self.argument(name) {
            [] => Err(Gap::new(Origin::Derived, Reason::malformed(format!("the selector needs `{name}`")))),
            values => Ok(values),
        }
    }

    /// Whether this selector picks a record with a name. `Named` selects everything: the resource reads its arguments.
    #[must_use]
    pub fn picks(&self, name: &str) -> bool {
        match self {
            Self::All | Self::Named(_) => true,
            Self::Keys(keys) => keys.iter().any(|key| key == name || glob_matches(key, name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_resources_and_fields_are_unique() {
        let mut names = BTreeSet::new();
        for entry in RESOURCES {
            assert!(names.insert(entry.schema.resource), "{} is registered twice", entry.schema.resource);
            let fields: BTreeSet<_> = entry.schema.fields.iter().map(|field| field.name).collect();
            assert_eq!(fields.len(), entry.schema.fields.len(), "{} repeats a field", entry.schema.resource);
        }
    }
}
