//! The operating system: distribution, kernel, init system.

use std::collections::BTreeMap;
use std::path::Path;

use crate::fact::{Fact, Flag, Gap, List, Origin, Scheme, Setting, Text, Version, record};
use crate::host::Host;
use crate::parse::os_release;

use super::container_os;
use super::init::Init;
use super::kernel::{SecurityModules, certain, line};
use super::{Context, Resource, Selector};

record! {
    /// The operating system of the host. Always exactly one record.
    pub struct OsRow("os") {
        /// `ID` of os-release, such as `debian`; `linux` where it says none.
        id: Text,
        /// `ID_LIKE` of os-release, as a list.
        id_like: List,
        /// `VERSION_ID` of os-release, such as `12`; absent on rolling releases.
        version_id: Setting,
        /// `VERSION_CODENAME` of os-release.
        codename: Text,
        /// `VARIANT_ID` of os-release.
        variant_id: Text,
        /// Family: `debian`, `rhel`, `suse`, `alpine`, `arch` or `other`, from `ID` and `ID_LIKE`.
        family: Text,
        /// `PRETTY_NAME` of os-release.
        name: Text,
        /// Release of the running kernel.
        kernel: Version,
        /// The init system that runs: `systemd`, `openrc`, `sysvinit`, `other`; from PID 1; of a directory, from what is installed in it.
        init: Text,
        /// Whether the kernel has AppArmor enabled.
        apparmor: Flag,
        /// Whether the kernel has SELinux enabled.
        selinux: Flag,
        /// Whether SELinux is enforcing now.
        selinux_enforcing: Flag,
        /// Names of the Linux security modules that are active.
        security_modules: List,
        /// Which system made for containers this is, such as `flatcar`, `bottlerocket`, `talos`, `fedora-coreos`; absent for a general one.
        container_os: Text,
        /// Whether its makers ended that system for good; absent for a general one.
        container_os_ended: Flag,
        /// Whether `/usr`, which holds the programs, is mounted read-only.
        system_read_only: Flag,
        /// Whether the kernel checks `/usr` as it is read, by dm-verity or by a composefs that demands fs-verity.
        system_verified: Flag,
    }
}

/// Finds the records.
pub struct Os;

impl Resource for Os {
    type Row = OsRow;
    const SELECTOR: &'static str = "`\"*\"`, or the distribution id";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let host = context.host;
        let release = Release::of(host);
        let id = release.id();
        let id_like = release.field("ID_LIKE").map(|(like, _)| like.split_whitespace().map(Text::from).collect::<Vec<_>>());
        let modules = SecurityModules::of(context);
        let variant_id = release.text("VARIANT_ID");
        let (container_os, container_os_ended) = container_os::system(&id, &variant_id);
        let row = OsRow {
            family: family(&id, &id_like),
            version_id: release.text("VERSION_ID").map(Setting),
            codename: release.text("VERSION_CODENAME"),
            variant_id,
            container_os,
            container_os_ended,
            system_read_only: container_os::read_only(context),
            system_verified: container_os::verified(context),
            name: release.text("PRETTY_NAME"),
            kernel: kernel(host),
            init: match &Init::of(context).name {
                Fact::Absent(origin) => Fact::Known("other".into(), origin.clone()),
                name => name.clone().map(Text::from),
            },
            apparmor: modules.apparmor.clone(),
            selinux: modules.selinux.clone(),
            selinux_enforcing: modules.selinux_enforcing.clone(),
            security_modules: modules.active.clone(),
            id,
            id_like,
        };
        let wanted = row.id.known().is_none_or(|id| of.picks(id.raw()));
        Ok(if wanted { vec![row] } else { Vec::new() })
    }
}

/// Where the distribution says what it is; the first file that is there counts.
const RELEASE: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// os-release, and the file it was read from.
struct Release(Fact<BTreeMap<String, (String, u32)>>);

impl Release {
    fn of(host: &dyn Host) -> Self {
        let [first, second] = RELEASE.map(Path::new);
        let found = match host.read(first) {
            Fact::Absent(_) => host.read(second),
            found => found,
        };
        Self(found.map(|content| os_release::parse(&String::from_utf8_lossy(&content))))
    }

    /// The value and the line of a name; absent where it is not set or empty.
    fn field(&self, name: &str) -> Fact<(&str, u32)> {
        self.0.as_ref().and_then(|fields, origin| match fields.get(name) {
            Some((value, line)) if !value.is_empty() => match &origin {
                Origin::File { path, .. } => Fact::Known((value.as_str(), *line), Origin::line(path.clone(), *line)),
                _ => Fact::Known((value.as_str(), *line), origin),
            },
            _ => Fact::Absent(origin),
        })
    }

    fn text(&self, name: &str) -> Fact<Text> {
        self.field(name).map(|(value, _)| value.into())
    }

    /// The documented default stands where nothing is said, be it for want of the file.
    fn id(&self) -> Fact<Text> {
        match self.text("ID") {
            Fact::Absent(_) => Fact::Known("linux".into(), Origin::default_of("os-release")),
            id => id,
        }
    }
}

/// The family of a distribution: what it is, or what it says it is like, in that order.
fn family(id: &Fact<Text>, id_like: &Fact<Vec<Text>>) -> Fact<Text> {
    let of = |name: &str| match name {
        "debian" | "ubuntu" | "raspbian" | "linuxmint" | "kali" => Some("debian"),
        "rhel" | "fedora" | "centos" | "rocky" | "almalinux" | "ol" | "amzn" | "azurelinux" | "mariner" => Some("rhel"),
        "suse" | "sles" | "sled" | "sle-micro" | "sl-micro" | "opensuse" => Some("suse"),
        name if name.starts_with("opensuse-") => Some("suse"),
        "alpine" => Some("alpine"),
        "arch" | "manjaro" => Some("arch"),
        _ => None,
    };
    id.as_ref().and_then(|id, origin| {
        let like = id_like.known().map(Vec::as_slice).unwrap_or_default();
        let family = std::iter::once(id).chain(like).find_map(|name| of(name.raw()));
        Fact::Known(family.unwrap_or("other").into(), origin)
    })
}

/// The release of the running kernel. Ordered as Debian does: what follows a dash is a build of the same
/// version, not a candidate for it.
fn kernel(host: &dyn Host) -> Fact<Version> {
    let version = |release: &str| Version::new(release, Scheme::Debian);
    let said = line(host, "/proc/sys/kernel/osrelease").map(|release| version(&release));
    let identity = host.identity();
    if said.known().is_none() && !identity.kernel.raw().is_empty() {
        return Fact::Known(version(identity.kernel.raw()), Origin::kernel("uname"));
    }
    certain(said, "/proc is not mounted")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;
    use crate::host::{FileKind, Identity};

    fn os(host: &Memory) -> OsRow {
        Os::collect(&Context::new(host), &Selector::All).unwrap().remove(0)
    }

    fn word(fact: &Fact<Text>) -> Option<&str> {
        fact.known().map(Text::raw)
    }

    #[test]
    fn a_debian_host() {
        let host = Memory::new()
            .file(
                "/etc/os-release",
                "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n",
            )
            .file("/proc/sys/kernel/osrelease", "6.1.0-25-amd64\n")
            .file("/proc/1/comm", "systemd\n")
            .file("/sys/module/apparmor/parameters/enabled", "Y\n")
            .file("/sys/kernel/security/lsm", "lockdown,capability,yama,apparmor");
        let os = os(&host);
        assert_eq!((word(&os.id), word(&os.family), word(&os.codename)), (Some("debian"), Some("debian"), Some("bookworm")));
        assert_eq!(os.version_id, Fact::Known("12".into(), Origin::line("/etc/os-release", 2)));
        assert!(matches!(os.variant_id, Fact::Absent(_)));
        assert!(os.kernel.known().unwrap().compare("6.1.0").is_gt() && os.kernel.known().unwrap().compare("6.12").is_lt());
        assert_eq!((word(&os.init), os.apparmor.known(), os.selinux.known()), (Some("systemd"), Some(&true), Some(&false)));
        assert_eq!(os.selinux_enforcing.known(), Some(&false));
        assert_eq!(os.security_modules.known().map(Vec::len), Some(4));
    }

    #[test]
    fn families_follow_what_a_distribution_is_like() {
        let family = |release: &str| word(&os(&Memory::new().file("/usr/lib/os-release", release)).family).map(str::to_owned);
        for (release, expected) in [
            ("ID=ubuntu\nID_LIKE=debian", "debian"),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"", "rhel"),
            ("ID=opensuse-leap", "suse"),
            ("ID=alpine", "alpine"),
            ("ID=endeavouros\nID_LIKE=arch", "arch"),
            ("ID=nixos", "other"),
            ("NAME=x", "other"),
        ] {
            assert_eq!(family(release).as_deref(), Some(expected), "{release}");
        }
    }

    #[test]
    fn without_os_release_it_is_linux_and_unreadable_it_is_unknown() {
        let bare = os(&Memory::new());
        assert_eq!((word(&bare.id), bare.id.origin()), (Some("linux"), &Origin::default_of("os-release")));
        assert!(matches!(bare.version_id, Fact::Absent(_)));
        let denied = os(&Memory::new().file("/etc/os-release", "").gap("/etc/os-release", Reason::Denied));
        assert!(matches!((&denied.id, &denied.family), (Fact::Unknown(_), Fact::Unknown(_))));
    }

    #[test]
    fn the_distribution_selects_the_record() {
        let host = Memory::new().file("/etc/os-release", "ID=debian");
        let rows = |id: &str| Os::collect(&Context::new(&host), &Selector::Keys(vec![id.to_owned()])).unwrap().len();
        assert_eq!((rows("debian"), rows("ubuntu")), (1, 0));
    }

    #[test]
    fn init_systems() {
        let init = |host: Memory| word(&os(&host).init).map(str::to_owned);
        let called = |name: &str| Memory::new().file("/proc/1/comm", name);
        assert_eq!(init(called("init").node("/run/systemd/system", FileKind::Directory, 0o755)).as_deref(), Some("systemd"));
        assert_eq!(init(called("init").file("/run/openrc/softlevel", "")).as_deref(), Some("openrc"));
        assert_eq!(init(called("init").file("/etc/inittab", "")).as_deref(), Some("sysvinit"));
        assert_eq!(init(called("runit").file("/etc/inittab", "")).as_deref(), Some("other"));
        let installed = Memory::new().file("/usr/lib/systemd/systemd", "").symlink("/sbin/init", "/usr/lib/systemd/systemd");
        assert_eq!(init(installed).as_deref(), Some("systemd"));
        assert_eq!(init(Memory::new()).as_deref(), Some("other"));
        assert_eq!(init(Memory::new().file("/sbin/openrc", "").file("/etc/inittab", "")).as_deref(), Some("openrc"));
    }

    #[test]
    fn what_is_missing_proves_something_only_where_the_kernel_fills_it() {
        let bare = os(&Memory::new());
        assert!(matches!((&bare.apparmor, &bare.security_modules), (Fact::Unknown(_), Fact::Unknown(_))));
        assert!(matches!((&bare.selinux, &bare.kernel), (Fact::Unknown(_), Fact::Unknown(_))));
        let filled = os(&Memory::new().node("/sys/module", FileKind::Directory, 0o755).file("/proc/filesystems", "nodev\tsysfs\n\text4\n"));
        assert_eq!(
            (filled.apparmor.known(), filled.selinux.known(), filled.selinux_enforcing.known()),
            (Some(&false), Some(&false), Some(&false))
        );
    }

    #[test]
    fn selinux_enabled_enforcing_and_out_of_sight() {
        let enforce = |value: &str| os(&Memory::new().file("/sys/fs/selinux/enforce", value));
        assert_eq!((enforce("1").selinux.known(), enforce("1").selinux_enforcing.known()), (Some(&true), Some(&true)));
        assert_eq!((enforce("0").selinux.known(), enforce("0").selinux_enforcing.known()), (Some(&true), Some(&false)));
        let hidden = os(&Memory::new().file("/proc/filesystems", "nodev\tselinuxfs\n"));
        assert_eq!(hidden.selinux.known(), Some(&true));
        assert!(matches!(hidden.selinux_enforcing, Fact::Unknown(_)));
    }

    #[test]
    fn the_kernel_may_be_known_by_name_only() {
        let host = Memory::new().named(Identity { kernel: "5.14.0-427.el9.x86_64".into(), ..Identity::default() });
        assert!(os(&host).kernel.known().unwrap().compare("5.14.0-70").is_gt());
    }
}
