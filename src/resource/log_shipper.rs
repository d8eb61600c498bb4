//! Programs that send the host's logs elsewhere, and whether what they send is encrypted.
//!
//! Of rsyslog and systemd-journal-upload the configuration is read as they read it. Of the others, the addresses in their
//! files are: one without TLS decides, and where no address tells, it is not known.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};

use super::process_table::ProcessTable;
use super::unit_state::{UnitState, any};
use super::{Context, Resource, Selector, paths, rsyslog, systemd_setting};

record! {
    /// One program that ships logs. Those that are not installed are records too.
    pub struct LogShipper("log_shipper") {
        /// `rsyslog`, `syslog-ng`, `systemd-journal-upload`, `fluent-bit`, `fluentd`, `vector`, `filebeat`, `promtail`, `alloy`, `splunk`,
        /// `otel-collector`, `td-agent`.
        name: Text,
        /// Whether it is there, and told to send anything.
        configured: Flag,
        /// Whether it runs, on the host or in a container.
        running: Flag,
        /// Whether it comes up with the host. Unknown for one that runs in a container alone.
        starts: Flag,
        /// Where it sends, as far as its files tell.
        targets: List,
        /// Whether all it sends is encrypted; absent where it sends nothing.
        encrypted: Flag,
    }
}

/// Finds the records.
pub struct LogShippers;

struct Shipper {
    name: &'static str,
    units: &'static [&'static str],
    process: &'static str,
    /// Its files, as globs.
    files: &'static [&'static str],
}

const fn shipper(name: &'static str, units: &'static [&'static str], process: &'static str, files: &'static [&'static str]) -> Shipper {
    Shipper { name, units, process, files }
}

const SHIPPERS: [Shipper; 12] = [
    shipper("rsyslog", &["rsyslog"], "rsyslogd", &[]),
    shipper("syslog-ng", &["syslog-ng"], "syslog-ng", &["/etc/syslog-ng/syslog-ng.conf", "/etc/syslog-ng/conf.d/*.conf"]),
    shipper("systemd-journal-upload", &["systemd-journal-upload"], "systemd-journal", &[]),
    shipper("fluent-bit", &["fluent-bit", "td-agent-bit"], "fluent-bit", &["/etc/fluent-bit/*.conf", "/etc/fluent-bit/*.yaml"]),
    shipper("fluentd", &["fluentd"], "fluentd", &["/etc/fluent/*.conf"]),
    shipper("td-agent", &["td-agent"], "td-agent", &["/etc/td-agent/*.conf"]),
    shipper("vector", &["vector"], "vector", &["/etc/vector/*.toml", "/etc/vector/*.yaml"]),
    shipper("filebeat", &["filebeat"], "filebeat", &["/etc/filebeat/filebeat.yml"]),
    shipper("promtail", &["promtail"], "promtail", &["/etc/promtail/*.yml", "/etc/promtail/*.yaml"]),
    shipper("alloy", &["alloy", "grafana-agent"], "alloy", &["/etc/alloy/*.alloy", "/etc/grafana-agent.yaml"]),
    shipper("splunk", &["SplunkForwarder", "splunk"], "splunkd", &["/opt/splunkforwarder/etc/system/local/outputs.conf"]),
    shipper("otel-collector", &["otelcol", "otelcol-contrib"], "otelcol", &["/etc/otelcol/*.yaml", "/etc/otelcol-contrib/*.yaml"]),
];

impl Resource for LogShippers {
    type Row = LogShipper;
    const SELECTOR: &'static str = "name of a program, such as `vector`; globs work";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        Ok(SHIPPERS.iter().filter(|shipper| of.picks(shipper.name)).map(|shipper| row(context, shipper)).collect())
    }
}

fn row(context: &Context<'_>, shipper: &Shipper) -> LogShipper {
    let units = UnitState::of(context, shipper.units);
    let contained = in_container(context, shipper);
    let only_contained = contained.known() == Some(&true) && units.installed.known() == Some(&false);
    let (targets, encrypted) = match shipper.name {
        "rsyslog" => of_rsyslog(context),
        "systemd-journal-upload" => of_upload(context),
        _ => of_files(context, shipper),
    };
    let sends = match &targets {
        Fact::Known(targets, origin) => Fact::Known(!targets.is_empty(), origin.clone()),
        Fact::Absent(origin) => Fact::Known(false, origin.clone()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    };
    let open = || Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::unsupported("it runs in a container, whose files are not read")));
    LogShipper {
        name: Fact::derived(shipper.name),
        configured: match (&units.installed, only_contained) {
            (_, true) => Fact::Known(true, Origin::kernel("/proc")),
            (Fact::Known(false, origin), _) => Fact::Known(false, origin.clone()),
            (Fact::Known(true, _), _) => sends,
            (other, _) => other.clone(),
        },
        running: any([units.running, contained]),
        starts: if only_contained { open() } else { units.starts },
        targets: if only_contained { open().map(|_: bool| List::new()) } else { targets },
        encrypted: if only_contained { open() } else { encrypted },
    }
}

fn in_container(context: &Context<'_>, shipper: &Shipper) -> Fact<bool> {
    let table = ProcessTable::of(context);
    let table = match table.as_ref() {
        Ok(table) => table,
        Err(gap) => return Fact::Unknown(gap.clone()),
    };
    // The short name of journal-upload is that of journald as well.
    let own = |name: &str| shipper.process == name && shipper.name != "systemd-journal-upload";
    let found = table.processes.iter().any(|process| process.container.known().is_some() && process.status.known().is_some_and(|status| own(&status.name)));
    Fact::Known(found, Origin::kernel("/proc"))
}

fn of_rsyslog(context: &Context<'_>) -> (Fact<List>, Fact<bool>) {
    match rsyslog::summary(context) {
        Some(row) => (row.remote_targets, row.encrypted),
        None => (Fact::Absent(Origin::file(rsyslog::PATH)), Fact::Absent(Origin::file(rsyslog::PATH))),
    }
}

/// Without a scheme it speaks HTTPS.
fn of_upload(context: &Context<'_>) -> (Fact<List>, Fact<bool>) {
    let url = systemd_setting::value(context, "journal-upload", "URL");
    (url.clone().map(|url| vec![url.0.clone()]), url.map(|url| !url.0.raw().starts_with("http:")))
}

/// The addresses in the files of a program.
fn of_files(context: &Context<'_>, shipper: &Shipper) -> (Fact<List>, Fact<bool>) {
    let mut found: Vec<(Text, bool, Origin)> = Vec::new();
    let mut read = None;
    for pattern in shipper.files {
        let expanded = match paths::expand(context.host, pattern) {
            Ok(expanded) => expanded,
            Err(gap) => return (Fact::Unknown(gap.clone()), Fact::Unknown(gap)),
        };
        if let Some((_, gap)) = expanded.gaps.into_iter().next() {
            return (Fact::Unknown(gap.clone()), Fact::Unknown(gap));
        }
        for path in expanded.paths {
            match context.host.read(&path) {
                Fact::Known(content, origin) => {
                    read.get_or_insert(origin);
                    found.extend(addresses(&String::from_utf8_lossy(&content), &path));
                }
                Fact::Absent(_) => {}
                Fact::Unknown(gap) => return (Fact::Unknown(gap.clone()), Fact::Unknown(gap)),
            }
        }
    }
    let Some(read) = read else {
        let origin = Origin::file(shipper.files.first().copied().unwrap_or_default());
        return (Fact::Absent(origin.clone()), Fact::Absent(origin));
    };
    let unknown = || Fact::Unknown(Gap::new(read.clone(), Reason::unsupported("no address in its files tells")));
    if found.is_empty() {
        return (unknown().map(|_: bool| List::new()), unknown());
    }
    let encrypted = match found.iter().find(|(_, encrypted, _)| !encrypted) {
        Some((.., origin)) => Fact::Known(false, origin.clone()),
        None => Fact::Known(true, read.clone()),
    };
    (Fact::Known(found.into_iter().map(|(text, ..)| text).collect(), read), encrypted)
}

/// Addresses of other hosts in lines that are no comments, and whether they are spoken to with TLS.
fn addresses(text: &str, path: &Path) -> Vec<(Text, bool, Origin)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with(['#', ';']) || line.starts_with("//") {
            continue;
        }
        for (scheme, encrypted) in [("https://", true), ("http://", false), ("tls://", true), ("tcp://", false), ("udp://", false)] {
            for (at, _) in line.match_indices(scheme) {
                // `http://` is no part of `xhttp://`.
                let before = line.get(..at).and_then(|before| before.chars().next_back());
                let rest = line.get(at + scheme.len()..).unwrap_or_default();
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-:[]@_".contains(c))).unwrap_or(rest.len());
                let host = rest.get(..end).unwrap_or_default();
                // What stands before an `@` is a password, now and then.
                let host = host.rsplit('@').next().unwrap_or_default();
                let local = ["127.", "localhost", "[::1]", "0.0.0.0"].iter().any(|local| host.starts_with(local));
                if before.is_none_or(|before| !before.is_ascii_alphanumeric()) && !host.is_empty() && !local {
                    found.push((Text::from(format!("{scheme}{host}")), encrypted, Origin::line(path, number)));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn get(host: &Memory, name: &str) -> LogShipper {
        LogShippers::collect(&Context::new(host), &Selector::Keys(vec![name.into()])).unwrap().remove(0)
    }

    fn unit(host: Memory, name: &str) -> Memory {
        host.file(&format!("/usr/lib/systemd/system/{name}.service"), "[Service]\nExecStart=/x\n")
    }

    #[test]
    fn addresses_decide() {
        let host = |text: &str| unit(Memory::new(), "promtail").file("/etc/promtail/config.yml", text);
        let good = get(&host("clients:\n  - url: https://u:p@loki.example:3100/push\n# url: http://old\nlisten: http://127.0.0.1:9080\n"), "promtail");
        assert_eq!((good.configured.known(), good.encrypted.known()), (Some(&true), Some(&true)));
        assert_eq!(good.targets.known(), Some(&vec!["https://loki.example:3100".into()]), "no password is shown");
        assert_eq!(get(&host("a: https://x\nb: http://y\n"), "promtail").encrypted.known(), Some(&false));
        assert!(get(&host("clients: []\n"), "promtail").encrypted.known().is_none());
        assert!(get(&host("x").gap("/etc/promtail", Reason::Denied), "promtail").targets.known().is_none());
        assert_eq!(get(&Memory::new(), "vector").configured.known(), Some(&false));
    }

    #[test]
    fn rsyslog_and_the_journal_by_their_own_rules() {
        let host = unit(unit(Memory::new(), "rsyslog"), "systemd-journal-upload").file("/etc/rsyslog.conf", "*.* @@h\n");
        let row = get(&host, "rsyslog");
        assert_eq!((row.configured.known(), row.encrypted.known()), (Some(&true), Some(&false)));
        assert_eq!(get(&host, "systemd-journal-upload").configured.known(), Some(&false));
        let host = host.file("/etc/systemd/journal-upload.conf", "[Upload]\nURL=logs.example\n");
        assert_eq!(get(&host, "systemd-journal-upload").encrypted.known(), Some(&true));
        let quiet = unit(Memory::new(), "rsyslog").file("/etc/rsyslog.conf", "*.* /var/log/x\n");
        assert_eq!(get(&quiet, "rsyslog").configured.known(), Some(&false));
    }

    #[test]
    fn text_cut_anywhere_does_not_panic() {
        let whole = "a https://u:é@h http://[::1]:1 xhttp://y tcp://";
        for at in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            let _ = addresses(&whole[..at], Path::new("/x"));
        }
    }
}
