//! What the worker gives up before its first thread.

use std::fs;
use std::io;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, make_bitflags,
};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::filter;
use crate::host::sandbox::{Enforced, Sandbox, SandboxLevel};

/// The version whose rights are asked for. Never "the latest": what a later one adds has to be tried first.
const LANDLOCK: ABI = ABI::V7;

/// The version from which emptying a file by opening it needs a right of its own.
const WATCHES_TRUNCATION: u8 = 3;

/// The most descriptors the worker may hold.
const DESCRIPTORS: u64 = 1024;

/// Closes every descriptor but the three it was given. One that a careless parent left open for writing would be a way out.
pub(super) fn close_strays() -> io::Result<()> {
    let numbers: Vec<i32> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in numbers {
        // The one that listed the directory is among them, and gone.
        let _ = nix::unistd::close(number);
    }
    Ok(())
}

/// Ends this process when the one that started it ends.
pub(super) fn die_with_parent() -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

/// Seals the process, as far as the kernel can, and says how far that is.
pub(super) fn seal() -> Sandbox {
    let mut shortfalls = Vec::new();
    let mut short = |what: &str, error: &dyn std::fmt::Display| shortfalls.push(format!("{what}: {error}"));

    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        short("privileges could still be gained", &error);
    }
    if let Err(error) = limit() {
        short("a resource limit could not be set", &error);
    }
    if let Err(error) = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        short("others may read this process's memory", &error);
    }
    if let Err(error) = drop_capabilities() {
        short("capabilities could not be dropped", &error);
    }
    let (landlock, landlock_abi) = landlock().unwrap_or_else(|error| {
        short("Landlock was refused", &error);
        (Enforced::None, 0)
    });
    if landlock == Enforced::None {
        short("Landlock", &"not offered here: the kernel lacks it, or a container or unit forbids it");
    } else if landlock == Enforced::Partly {
        short("Landlock", &format_args!("version {landlock_abi} cannot enforce everything asked for"));
    }
    // What Landlock does not watch, the filter must; and it cannot see the flags of openat2.
    let openat2 = landlock_abi >= WATCHES_TRUNCATION;
    let seccomp = install_filters(openat2).unwrap_or_else(|(installed, error)| {
        short("system call filters were refused", &error);
        installed
    });

    let capabilities = capabilities();
    let no_new_privileges = rustix::thread::no_new_privs().unwrap_or(false) || landlock_abi > 0 || seccomp != Enforced::None;
    let limits = [Resource::Fsize, Resource::Core].into_iter().all(|which| rustix::process::getrlimit(which).maximum == Some(0));
    let level = if shortfalls.is_empty()
        && landlock == Enforced::Fully
        && seccomp == Enforced::Fully
        && limits
        && no_new_privileges
        && capabilities.iter().all(|name| name == "DAC_READ_SEARCH")
    {
        SandboxLevel::Full
    } else {
        SandboxLevel::Partial
    };
    Sandbox { level, landlock, landlock_abi, seccomp, openat2, capabilities, no_new_privileges, limits, shortfalls }
}

/// What is to be said of a worker that seals nothing, as was asked.
pub(super) fn unsealed() -> Sandbox {
    Sandbox { capabilities: capabilities(), ..Sandbox::off() }
}

/// No data to regular files, no core dumps, and no more descriptors than a walk needs.
fn limit() -> io::Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Fsize, none)?;
    rustix::process::setrlimit(Resource::Core, none)?;
    let least = rustix::process::getrlimit(Resource::Nofile).maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(least), maximum: Some(least) })?;
    Ok(())
}

/// Keeps the capability to read any file, where the process has it, and no way to another.
fn drop_capabilities() -> io::Result<()> {
    let has = rustix::thread::capabilities(None)?;
    if has.effective.contains(CapabilitySet::SETPCAP) {
        for one in CapabilitySet::all().iter() {
            // Fails for those this kernel does not know.
            let _ = rustix::thread::remove_capability_from_bounding_set(one);
        }
    }
    // Kernels before 4.3 have no ambient set.
    let _ = rustix::thread::clear_ambient_capability_set();
    let kept = has.permitted & CapabilitySet::DAC_READ_SEARCH;
    let wanted = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    match rustix::thread::set_capabilities(None, wanted) {
        // A unit may forbid the call to a process that has nothing to drop.
        Err(_) if has == wanted => Ok(()),
        other => Ok(other?),
    }
}

/// The capabilities that are left, by name.
fn capabilities() -> Vec<String> {
    match rustix::thread::capabilities(None) {
        Ok(sets) => (sets.effective | sets.permitted | sets.inheritable).iter_names().map(|(name, _)| name.to_owned()).collect(),
        Err(_) => vec!["unknown".into()],
    }
}

/// Reading of files and directories everywhere; nothing else anywhere.
fn landlock() -> Result<(Enforced, u8), RulesetError> {
    let read: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?;
    let Ok(root) = PathFd::new("/") else { return Ok((Enforced::None, 0)) };
    let status = ruleset.add_rule(PathBeneath::new(root, read))?.restrict_self()?;
    let enforced = match status.ruleset {
        RulesetStatus::FullyEnforced => Enforced::Fully,
        RulesetStatus::PartiallyEnforced => Enforced::Partly,
        RulesetStatus::NotEnforced => Enforced::None,
    };
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if enforced != Enforced::None => effective_abi as u8,
        _ => 0,
    };
    Ok((enforced, abi))
}

/// Installs both filters; on failure says how far it came.
fn install_filters(openat2: bool) -> Result<Enforced, (Enforced, String)> {
    let programs = filter::programs(openat2, std::process::id()).map_err(|error| (Enforced::None, error.to_string()))?;
    let mut installed = Enforced::None;
    for program in programs {
        seccompiler::apply_filter(&program).map_err(|error| (installed, error.to_string()))?;
        installed = Enforced::Partly;
    }
    Ok(Enforced::Fully)
}
