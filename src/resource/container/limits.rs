//! Limits and restart policy by declaration.

use std::collections::BTreeSet;

use crate::fact::{Fact, Reason, Text};
use crate::parse::engine_json::HostConfig;

use super::source::Source;
use crate::resource::docker::Kind;

/// What the kernel gives where nobody says otherwise: no setting, even where it is written down.
const DEFAULT_SHARES: i64 = 1024;

/// Relative weight of processor time; absent where not set or the default.
pub(super) fn cpu_shares(config: &HostConfig, source: &Source) -> Fact<i64> {
    if config.cpu_shares == DEFAULT_SHARES { source.absent() } else { source.limit(config.cpu_shares) }
}

/// Whether its share of the processor is bounded. Being pinned to some processors says where it runs, not how much.
pub(super) fn cpu_limited(config: &HostConfig) -> bool {
    !matches!(config.cpu_shares, 0 | DEFAULT_SHARES) || config.nano_cpus > 0 || config.cpu_quota > 0
}

/// Limits as `nofile=1000:2000` that are not the engine's defaults. Both engines write their defaults among those that were
/// asked for: Docker those its daemon was told, Podman its own and those of `containers.conf`, as `RLIMIT_NOFILE`.
pub(super) fn ulimits(kind: Kind, config: &HostConfig, defaults: &Fact<Vec<Text>>, source: &Source) -> Fact<Vec<Text>> {
    let written = config.ulimits.iter().map(|limit| {
        let name = limit.name.to_ascii_lowercase();
        format!("{}={}:{}", name.trim_start_matches("rlimit_"), limit.soft, limit.hard)
    });
    if config.ulimits.is_empty() {
        return source.list([""; 0]);
    }
    if kind == Kind::Podman {
        return source.unknown(Reason::unsupported("Podman does not tell its default limits from those asked for"));
    }
    let defaults: BTreeSet<String> = match defaults {
        Fact::Known(defaults, _) => defaults.iter().map(|limit| both(limit.raw())).collect(),
        Fact::Absent(_) => BTreeSet::new(),
        Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
    };
    source.list(written.filter(|limit| !defaults.contains(limit)))
}

/// A limit with its soft and its hard value: a flag may name one for both.
fn both(limit: &str) -> String {
    match limit.split_once('=') {
        Some((name, value)) if !value.contains(':') => format!("{name}={value}:{value}"),
        _ => limit.to_owned(),
    }
}

fn unless_swarm<T>(swarm_service: &str, source: &Source, tell: impl FnOnce() -> Fact<T>) -> Fact<T> {
    if swarm_service.is_empty() {
        tell()
    } else {
        source.unknown(Reason::unsupported("the restart policy of a swarm task is its service's"))
    }
}

fn policy(config: &HostConfig) -> &str {
    match config.restart_policy.name.as_str() {
        "" => "no",
        name => name,
    }
}

/// Restart policy.
pub(super) fn restart_policy(config: &HostConfig, swarm_service: &str, source: &Source) -> Fact<Text> {
    unless_swarm(swarm_service, source, || source.text(policy(config)))
}

/// Restarts allowed by `on-failure`; 0 for no bound.
pub(super) fn restart_retries(config: &HostConfig, swarm_service: &str, source: &Source) -> Fact<i64> {
    unless_swarm(swarm_service, source, || source.integer(config.restart_policy.maximum_retry_count))
}

/// Whether restarts end by themselves. `always` has a count of 0 too, so the count alone says nothing.
pub(super) fn restart_bounded(config: &HostConfig, swarm_service: &str, source: &Source) -> Fact<bool> {
    let bounded = match policy(config) {
        "no" => true,
        "on-failure" => config.restart_policy.maximum_retry_count > 0,
        _ => false,
    };
    unless_swarm(swarm_service, source, || source.flag(bounded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Origin;

    fn read(json: &str) -> HostConfig {
        serde_json::from_str(json).unwrap()
    }

    fn source() -> Source {
        Source(Origin::Derived)
    }

    #[test]
    fn shares_of_0_and_1024_are_no_setting() {
        for shares in ["0", "1024"] {
            let config = read(&format!(r#"{{"CpuShares":{shares}}}"#));
            assert!(matches!(cpu_shares(&config, &source()), Fact::Absent(_)) && !cpu_limited(&config));
        }
        assert_eq!(cpu_shares(&read(r#"{"CpuShares":512}"#), &source()).known(), Some(&512));
        for limit in [r#"{"NanoCpus":500000000}"#, r#"{"CpuQuota":50000}"#, r#"{"CpuShares":2}"#] {
            assert!(cpu_limited(&read(limit)), "{limit}");
        }
        assert!(!cpu_limited(&read(r#"{"CpuQuota":-1}"#)));
    }

    #[test]
    fn null_zero_and_minus_one_are_no_limit() {
        for pids in ["null", "0", "-1"] {
            let config = read(&format!(r#"{{"PidsLimit":{pids}}}"#));
            assert!(matches!(source().limit(config.pids_limit), Fact::Absent(_)));
        }
    }

    #[test]
    fn restarts_are_bounded_by_policy_and_count() {
        let bounded = |name: &str, count: i64| {
            let config = read(&format!(r#"{{"RestartPolicy":{{"Name":"{name}","MaximumRetryCount":{count}}}}}"#));
            restart_bounded(&config, "", &source()).known().copied()
        };
        assert_eq!((bounded("", 0), bounded("no", 0), bounded("on-failure", 5)), (Some(true), Some(true), Some(true)));
        assert_eq!((bounded("always", 0), bounded("unless-stopped", 0), bounded("on-failure", 0)), (Some(false), Some(false), Some(false)));
        assert!(matches!(restart_policy(&read("{}"), "web", &source()), Fact::Unknown(_)), "a swarm task");
    }

    #[test]
    fn limits_have_one_spelling() {
        let config = read(r#"{"Ulimits":[{"Name":"nofile","Soft":1000,"Hard":2000},{"Name":"RLIMIT_NPROC","Soft":-1,"Hard":-1}]}"#);
        let none = Fact::derived(Vec::new());
        let docker = ulimits(Kind::Docker, &config, &none, &source());
        let limits: Vec<&str> = docker.known().unwrap().iter().map(Text::raw).collect();
        assert_eq!(limits, ["nofile=1000:2000", "nproc=-1:-1"]);
        assert!(matches!(ulimits(Kind::Podman, &config, &none, &source()), Fact::Unknown(_)), "they may be defaults");
        assert_eq!(ulimits(Kind::Podman, &read("{}"), &none, &source()).known().map(Vec::len), Some(0));
    }

    #[test]
    fn defaults_of_the_daemon_are_no_override() {
        let config = read(r#"{"Ulimits":[{"Name":"nofile","Soft":1000,"Hard":2000},{"Name":"nproc","Soft":7,"Hard":7}]}"#);
        let beside = |defaults: &[&str]| {
            let defaults = Fact::derived(defaults.iter().map(|limit| Text::from(*limit)).collect::<Vec<_>>());
            let limits = ulimits(Kind::Docker, &config, &defaults, &source());
            limits.known().unwrap().iter().map(|limit| limit.raw().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(beside(&["nofile=1000:2000", "nproc=7"]), [""; 0]);
        assert_eq!(beside(&["nofile=1000:4000"]), ["nofile=1000:2000", "nproc=7:7"]);
        let unread = Fact::Unknown(crate::fact::Gap::new(Origin::Derived, Reason::Denied));
        assert!(matches!(ulimits(Kind::Docker, &config, &unread, &source()), Fact::Unknown(_)));
        assert_eq!(ulimits(Kind::Docker, &read("{}"), &unread, &source()).known().map(Vec::len), Some(0));
    }
}
