//! What keeps a product from having an effect, by its own files and the kernel's.

use std::path::Path;

use crate::fact::{Fact, Gap, List, Text};
use crate::parse::yaml::{Scalar, scalars};
use crate::resource::Context;
use crate::resource::audit_rule::Trail;

/// Problems of a product; unknown where what decides them cannot be read.
pub(super) fn problems(context: &Context<'_>, name: &str) -> Fact<List> {
    let found = match name {
        "auditd" => auditd(context),
        "aide" => aide(context),
        "fail2ban" => fail2ban(context),
        "crowdsec" => crowdsec(context),
        "falco" => falco(context),
        "wazuh" => wazuh(context),
        "suricata" => suricata(context),
        _ => Ok(Vec::new()),
    };
    match found {
        Ok(problems) => Fact::derived(problems.into_iter().map(Text::from).collect::<List>()),
        Err(gap) => Fact::Unknown(gap),
    }
}

type Problems = Result<Vec<String>, Gap>;

fn text(context: &Context<'_>, path: &str) -> Result<Option<String>, Gap> {
    let content = context.host.read(Path::new(path)).into_result()?;
    Ok(content.map(|content| String::from_utf8_lossy(&content).into_owned()))
}

fn yaml(context: &Context<'_>, path: &str) -> Result<Option<Vec<Scalar>>, Gap> {
    Ok(text(context, path)?.map(|text| scalars(&text)))
}

fn auditd(context: &Context<'_>) -> Problems {
    let trail = Trail::of(context);
    let mut problems = Vec::new();
    match &trail.status {
        Fact::Known(status, _) => {
            if status.enabled == 0 {
                problems.push("auditing is switched off".to_owned());
            }
            if status.pid == 0 {
                problems.push("no daemon takes the records".to_owned());
            }
        }
        Fact::Absent(_) => {}
        Fact::Unknown(gap) => return Err(gap.clone()),
    }
    match &trail.loaded {
        Ok(rules) if rules.is_empty() => problems.push("no rules are loaded".to_owned()),
        Ok(_) => {}
        Err(gap) => return Err(gap.clone()),
    }
    Ok(problems)
}

fn aide(context: &Context<'_>) -> Problems {
    let row = crate::resource::aide::row(context);
    Ok(match row.database_exists {
        Fact::Known(true, _) => Vec::new(),
        Fact::Known(false, _) => vec!["there is no database to compare with".to_owned()],
        Fact::Absent(_) => vec!["no database is configured".to_owned()],
        Fact::Unknown(gap) => return Err(gap),
    })
}

fn fail2ban(context: &Context<'_>) -> Problems {
    let jails = super::bans::Jails::of(context)?;
    let ssh = jails.enabled().iter().any(|jail| jail.contains("ssh"));
    Ok(if ssh { Vec::new() } else { vec!["no jail for SSH is enabled".to_owned()] })
}

fn crowdsec(context: &Context<'_>) -> Problems {
    let mut problems = Vec::new();
    for path in ["/etc/crowdsec/local_api_credentials.yaml", "/etc/crowdsec/online_api_credentials.yaml"] {
        if let Some(stat) = context.host.stat(Path::new(path)).into_result()?
            && stat.mode.bits() & 0o077 != 0
        {
            problems.push(format!("{path} is open to others"));
        }
    }
    let bouncers = context.host.list(Path::new("/etc/crowdsec/bouncers")).into_result()?;
    if bouncers.is_none_or(|entries| !entries.iter().any(|entry| entry.name.extension().is_some_and(|end| end == "yaml"))) {
        problems.push("no bouncer acts on what is decided".to_owned());
    }
    Ok(problems)
}

/// Priorities of Falco, the gravest first; beyond notice a threshold lets most alerts go unseen.
const GRAVER_THAN_NOTICE: [&str; 5] = ["emergency", "alert", "critical", "error", "warning"];

fn falco(context: &Context<'_>) -> Problems {
    let Some(mut settings) = yaml(context, "/etc/falco/falco.yaml")? else { return Ok(vec!["there is no falco.yaml".to_owned()]) };
    // Files of this directory are laid over it, the last one wins.
    for entry in context.host.list(Path::new("/etc/falco/config.d")).into_result()?.iter().flat_map(|entries| entries.iter()) {
        let path = Path::new("/etc/falco/config.d").join(&entry.name);
        if path.extension().is_some_and(|end| end == "yaml") {
            settings.extend(yaml(context, &path.to_string_lossy())?.unwrap_or_default());
        }
    }
    let last = |path: &str| settings.iter().rev().find(|scalar| scalar.path == path).map(|scalar| scalar.value.as_str());
    let mut problems = Vec::new();
    let outputs = ["syslog_output", "file_output", "http_output", "program_output", "grpc_output"];
    if !outputs.iter().any(|output| last(&format!("{output}.enabled")) == Some("true")) {
        problems.push("alerts go to standard output alone".to_owned());
    }
    if last("priority").is_some_and(|priority| GRAVER_THAN_NOTICE.contains(&priority.to_ascii_lowercase().as_str())) {
        problems.push("alerts of the level notice are dropped".to_owned());
    }
    let actions: Vec<_> = settings.iter().filter(|scalar| scalar.path == "syscall_event_drops.actions").map(|scalar| scalar.value.as_str()).collect();
    if actions == ["ignore"] {
        problems.push("lost events are ignored".to_owned());
    }
    let rules = settings.iter().filter(|scalar| scalar.path == "rules_files" || scalar.path == "rules_file");
    let mut there = false;
    for rules in rules {
        there |= context.host.stat(Path::new(&rules.value)).into_result()?.is_some();
    }
    if !there {
        problems.push("no file of rules is there".to_owned());
    }
    Ok(problems)
}

fn wazuh(context: &Context<'_>) -> Problems {
    let mut problems = Vec::new();
    // A manager has no such state: it is the other end.
    let state = text(context, "/var/ossec/var/run/wazuh-agentd.state")?;
    if let Some(state) = state {
        let value = |key: &str| {
            let mut lines = state.lines().filter_map(|line| line.split_once('='));
            lines.rfind(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().trim_matches('\'').to_owned())
        };
        if value("status").as_deref() != Some("connected") {
            problems.push("the agent is not connected to its server".to_owned());
        }
        let acknowledged = value("last_ack").and_then(|text| chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").ok());
        // It writes local time: a day of leeway is more than any zone.
        if acknowledged.is_some_and(|at| context.host.now().timestamp() - at.and_utc().timestamp() > 2 * 86_400) {
            problems.push("the server has not answered the agent for more than a day".to_owned());
        }
        if let Some(configuration) = text(context, "/var/ossec/etc/ossec.conf")? {
            let loopback = ["<address>127.", "<address>localhost<", "<address>::1<"].iter().any(|word| configuration.contains(word));
            if loopback {
                problems.push("its server is this host".to_owned());
            }
        }
    }
    Ok(problems)
}

fn suricata(context: &Context<'_>) -> Problems {
    let Some(settings) = yaml(context, "/etc/suricata/suricata.yaml")? else {
        return Ok(vec!["there is no suricata.yaml".to_owned()]);
    };
    let mut problems = Vec::new();
    let interfaces = settings.iter().filter(|scalar| scalar.path.ends_with(".interface") && scalar.path.starts_with("af-packet"));
    let mut known = 0;
    for interface in interfaces.filter(|scalar| scalar.value != "default") {
        known += 1;
        let device = Path::new("/sys/class/net").join(&interface.value);
        if context.host.lstat(&device).into_result()?.is_none() {
            problems.push(format!("there is no interface {}", interface.value));
        }
    }
    if known == 0 {
        problems.push("no interface is configured".to_owned());
    }
    Ok(problems)
}
