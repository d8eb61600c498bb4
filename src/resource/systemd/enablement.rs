//! What `systemctl is-enabled` would say of a unit.

use std::path::Path;

use crate::fact::{Fact, Origin};
use crate::host::Host;
use crate::parse::unit_name::UnitName;

use super::{Link, Says, Units};

/// The word for a unit that no file stands behind.
pub(crate) const NOT_FOUND: &str = "not-found";

impl Units {
    /// The word, from whatever decides it.
    pub(crate) fn enablement(&self, host: &dyn Host, name: &str) -> Fact<&'static str> {
        let Some(file) = self.file(name) else { return Fact::Known(NOT_FOUND, Origin::file(self.own())) };
        let origin = Origin::file(file.path.as_path());
        let canonical = self.canonical(name);
        match self.file(&canonical).map(|file| (&file.says, file.path.as_path())) {
            None => return Fact::Known(NOT_FOUND, origin),
            Some((Says::Masked { .. }, path)) => {
                return Fact::Known(if runtime(path) { "masked-runtime" } else { "masked" }, Origin::file(path));
            }
            Some((Says::Script, _)) => return Fact::Known("generated", origin),
            Some(_) if canonical != name => return Fact::Known("alias", origin),
            Some((_, path)) if path.starts_with("/run/systemd/transient") => return Fact::Known("transient", origin),
            Some((_, path)) if generated(path) => return Fact::Known("generated", origin),
            Some(_) => {}
        }
        let links: Vec<&Link> = self.links_to(host, &canonical).collect();
        if let Some(link) = links.iter().find(|link| persistent(&link.path)) {
            return Fact::Known("enabled", Origin::file(link.path.as_path()));
        }
        if let Some(link) = links.iter().find(|link| runtime(&link.path) && !generated(&link.path)) {
            return Fact::Known("enabled-runtime", Origin::file(link.path.as_path()));
        }
        // Another instance of the template is.
        let instance_of = |link: &&Link| {
            link.wanted_by.is_some() && UnitName::parse(&link.name).and_then(|name| name.template()).as_deref() == Some(&canonical)
        };
        if let Some(link) = self.links.iter().find(|link| instance_of(link) && persistent(&link.path)) {
            return Fact::Known("indirect", Origin::file(link.path.as_path()));
        }
        if let Some((linked, path)) = self.file(&canonical).and_then(|file| linked(host, &file.path)) {
            return Fact::Known(linked, Origin::file(path));
        }
        let Some(loaded) = self.load(host, &canonical) else { return Fact::Known(NOT_FOUND, origin) };
        loaded.fact(|unit| {
            let installs = |key: &str| !unit.names("Install", key).is_empty();
            let word = if ["WantedBy", "RequiredBy", "UpheldBy", "Alias"].into_iter().any(installs) {
                "disabled"
            } else if installs("Also") {
                "indirect"
            } else {
                "static"
            };
            Fact::Known(word, origin)
        })
    }

    /// The links that start a unit or give it another name. A template counts as its default instance. A link in
    /// `X.wants` means the unit of the link's own name; an alias the unit that it leads to.
    fn links_to<'a>(&'a self, host: &dyn Host, name: &'a str) -> impl Iterator<Item = &'a Link> {
        let template = UnitName::parse(name).filter(UnitName::is_template);
        let default = template.and_then(|template| {
            let loaded = self.load(host, name)?;
            let instance = loaded.unit.last("Install", "DefaultInstance")?;
            Some(UnitName { instance: Some(&instance.value), ..template }.with_kind(template.kind))
        });
        self.links.iter().filter(move |link| match link.wanted_by {
            Some(_) => link.name == name || self.canonical(&link.name) == name || default.as_deref() == Some(&link.name),
            None => link.target == name,
        })
    }
}

/// What an administrator's command leaves behind for good.
fn persistent(path: &Path) -> bool {
    path.starts_with("/etc")
}

fn runtime(path: &Path) -> bool {
    path.starts_with("/run")
}

fn generated(path: &Path) -> bool {
    ["/run/systemd/generator", "/run/systemd/generator.early", "/run/systemd/generator.late"].iter().any(|at| path.starts_with(at))
}

/// A unit file that lies elsewhere and is linked into its place.
fn linked<'a>(host: &dyn Host, path: &'a Path) -> Option<(&'static str, &'a Path)> {
    host.link(path).known()?;
    if persistent(path) { Some(("linked", path)) } else { runtime(path).then_some(("linked-runtime", path)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Reason;
    use crate::host::memory::Memory;
    use crate::resource::Context;

    const INSTALL: &str = "[Service]\nExecStart=/x\n[Install]\nWantedBy=multi-user.target\n";

    fn word(host: &Memory, name: &str) -> &'static str {
        Units::of(&Context::new(host)).enablement(host, name).known().unwrap()
    }

    #[test]
    fn links_enable() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/on.service", INSTALL)
            .symlink("/etc/systemd/system/multi-user.target.wants/on.service", "/lib/systemd/system/on.service")
            .file("/usr/lib/systemd/system/off.service", INSTALL)
            .file("/usr/lib/systemd/system/now.service", INSTALL)
            .symlink("/run/systemd/system/x.target.requires/now.service", "/usr/lib/systemd/system/now.service")
            .file("/usr/lib/systemd/system/fixed.service", "[Service]\nExecStart=/x\n")
            .symlink("/usr/lib/systemd/system/sysinit.target.wants/fixed.service", "../fixed.service")
            .file("/usr/lib/systemd/system/also.service", "[Install]\nAlso=also.socket\n");
        assert_eq!(word(&host, "on.service"), "enabled");
        assert_eq!(word(&host, "off.service"), "disabled");
        assert_eq!(word(&host, "now.service"), "enabled-runtime");
        assert_eq!(word(&host, "fixed.service"), "static", "what the vendor links is not the administrator's doing");
        assert_eq!(word(&host, "also.service"), "indirect");
        assert_eq!(word(&host, "none.service"), "not-found");
    }

    #[test]
    fn what_a_file_says_that_cannot_be_read_is_not_known() {
        let host =
            Memory::new().file("/usr/lib/systemd/system/a.service", INSTALL).gap("/usr/lib/systemd/system/a.service", Reason::Denied);
        assert!(matches!(Units::of(&Context::new(&host)).enablement(&host, "a.service"), Fact::Unknown(_)));
        let host = host.symlink("/etc/systemd/system/multi-user.target.wants/a.service", "/usr/lib/systemd/system/a.service");
        assert_eq!(word(&host, "a.service"), "enabled");
    }

    #[test]
    fn masks_win_over_links() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/m.service", INSTALL)
            .symlink("/etc/systemd/system/multi-user.target.wants/m.service", "/usr/lib/systemd/system/m.service")
            .symlink("/etc/systemd/system/m.service", "/dev/null")
            .file("/usr/lib/systemd/system/r.service", INSTALL)
            .symlink("/run/systemd/system/r.service", "/dev/null");
        assert_eq!(word(&host, "m.service"), "masked");
        assert_eq!(word(&host, "r.service"), "masked-runtime");
    }

    #[test]
    fn aliases_enable_and_may_come_from_a_drop_in() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/netfilter-persistent.service", "[Service]\nExecStart=/x\n")
            .file("/usr/lib/systemd/system/netfilter-persistent.service.d/iptables.conf", "[Install]\nAlias=iptables.service\n");
        assert_eq!(word(&host, "netfilter-persistent.service"), "disabled", "the drop-in makes it installable");
        let host = host.symlink("/etc/systemd/system/iptables.service", "/usr/lib/systemd/system/netfilter-persistent.service");
        assert_eq!(word(&host, "netfilter-persistent.service"), "enabled");
        assert_eq!(word(&host, "iptables.service"), "alias");
    }

    #[test]
    fn templates_and_instances() {
        let host = Memory::new()
            .file("/usr/lib/systemd/system/g@.service", "[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n")
            .symlink("/etc/systemd/system/getty.target.wants/g@tty1.service", "/usr/lib/systemd/system/g@.service")
            .file("/usr/lib/systemd/system/o@.service", "[Install]\nWantedBy=x.target\n")
            .symlink("/etc/systemd/system/x.target.wants/o@a.service", "/usr/lib/systemd/system/o@.service");
        assert_eq!(word(&host, "g@.service"), "enabled");
        assert_eq!(word(&host, "g@tty1.service"), "enabled");
        assert_eq!(word(&host, "g@tty2.service"), "disabled");
        assert_eq!(word(&host, "o@.service"), "indirect");
        assert_eq!(word(&host, "o@a.service"), "enabled");
    }

    #[test]
    fn generated_and_linked() {
        let host = Memory::new()
            .file("/run/systemd/generator/data.mount", "[Mount]\n")
            .symlink("/run/systemd/generator/local-fs.target.requires/data.mount", "../data.mount")
            .file("/etc/init.d/old", "#!")
            .owned("/etc/init.d/old", 0, 0, 0o755)
            .file("/opt/l.service", INSTALL)
            .symlink("/etc/systemd/system/l.service", "/opt/l.service")
            .file("/run/systemd/transient/t.scope", "[Scope]\n");
        assert_eq!(word(&host, "data.mount"), "generated");
        assert_eq!(word(&host, "old.service"), "generated");
        assert_eq!(word(&host, "l.service"), "linked");
        assert_eq!(word(&host, "t.scope"), "transient");
    }
}
