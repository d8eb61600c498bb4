//! Who may use `su`: the group that `pam_wheel` lets through, and whether that line is reached and binding.

use std::path::{Path, PathBuf};

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};

use super::accounts::Accounts;
use super::{Context, Resource, Selector};

record! {
    /// One PAM service of `su`: `su`, and `su-l` where a login shell has one of its own. No record where su is not installed.
    pub struct Su("su") {
        /// Path of the service's file.
        path: Text,
        /// Whether everybody but root is turned away who is not in the group: `pam_wheel` is required, asks about the user who calls
        /// (`use_uid`), and no line before it lets somebody else through or skips it.
        restricted: Flag,
        /// Name of that group; absent where no line asks for one.
        group: Text,
        /// Who is in that group, those with it as primary group included; a group that is not there has nobody. Absent without a group.
        members: List,
    }
}

/// Finds the records.
pub struct Sus;

/// Where PAM looks for the file of a service, in order.
const DIRECTORIES: [&str; 3] = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"];
const PROGRAMS: [&str; 2] = ["/usr/bin/su", "/bin/su"];
/// How deep files may include each other.
const DEEPEST: usize = 32;
/// The most lines that are looked at.
const MOST: usize = 10_000;

impl Resource for Sus {
    type Row = Su;
    const SELECTOR: &'static str = "the path of a service's file; `\"*\"` for those of su";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let mut installed = false;
        for program in PROGRAMS {
            installed |= context.host.stat(program.as_ref()).into_result()?.is_some();
        }
        if !installed {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        for service in ["su", "su-l"] {
            match find(context, service) {
                Ok(Some(path)) => rows.push(row(context, &path)),
                // Without a file of its own PAM takes that for everything else.
                Ok(None) if service == "su" => rows.push(row(context, Path::new("/etc/pam.d/other"))),
                Ok(None) => {}
                Err(gap) => rows.push(Su::unknown(&gap)),
            }
        }
        rows.retain(|row| row.path.known().is_none_or(|path| of.picks(path.raw())));
        Ok(rows)
    }
}

fn find(context: &Context<'_>, service: &str) -> Result<Option<PathBuf>, Gap> {
    for directory in DIRECTORIES {
        let path = Path::new(directory).join(service);
        if context.host.stat(&path).into_result()?.is_some() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// One line of the stack that authenticates.
struct Line {
    control: String,
    module: String,
    arguments: Vec<String>,
    origin: Origin,
}

fn row(context: &Context<'_>, path: &Path) -> Su {
    let name = Fact::Known(path.into(), Origin::stat(path));
    let mut lines = Vec::new();
    if let Err(gap) = stack(context, path, 0, &mut lines) {
        return Su { path: name, ..Su::unknown(&gap) };
    }
    let file = Origin::file(path);
    let Some((at, wheel)) = lines.iter().enumerate().find(|(_, line)| line.module == "pam_wheel.so" && binding(&line.control)) else {
        return Su { path: name, restricted: Fact::Known(false, file.clone()), group: Fact::Absent(file.clone()), members: Fact::Absent(file) };
    };
    let has = |argument: &str| wheel.arguments.iter().any(|given| given == argument);
    let skipped = lines.iter().take(at).enumerate().any(|(before, line)| line.module != "pam_rootok.so" && gets_past(&line.control, at - before));
    let restricted = has("use_uid") && !has("deny") && !has("trust") && !skipped;
    let named = wheel.arguments.iter().rev().find_map(|argument| argument.strip_prefix("group="));
    let accounts = Accounts::of(context);
    let groups = accounts.group_file();
    let group = match (named, &groups) {
        (Some(name), _) => Fact::Known(Text::from(name), wheel.origin.clone()),
        // Without a name it is `wheel`, or the first group of all.
        (None, Ok(_)) => {
            let first = || accounts.groups().iter().find(|group| group.gid == 0).map(|group| group.name.clone());
            let wheel_group = accounts.group("wheel").map(|group| group.name.clone());
            wheel_group.or_else(first).map_or_else(|| Fact::Absent(wheel.origin.clone()), |name| Fact::Known(name, wheel.origin.clone()))
        }
        (None, Err(gap)) => Fact::Unknown(gap.clone()),
    };
    let members = group.as_ref().and_then(|name, origin| match (&groups, accounts.passwd()) {
        (Err(gap), _) => Fact::Unknown(gap.clone()),
        (_, Err(gap)) => Fact::Unknown(gap),
        (Ok(_), Ok(_)) => {
            let Some(group) = accounts.group(name.raw()) else { return Fact::Known(Vec::new(), origin) };
            let primary = accounts.users().iter().filter(|user| user.gid == group.gid).map(|user| user.name.clone());
            let mut members: List = group.members.iter().cloned().chain(primary).collect();
            members.sort();
            members.dedup();
            Fact::Known(members, Origin::line(super::accounts::GROUP, group.line))
        }
    });
    Su { path: name, restricted: Fact::Known(restricted, wheel.origin.clone()), group, members }
}

/// Whether a failure of the line cannot be made good by another.
fn binding(control: &str) -> bool {
    let failure = action(control, "auth_err").or_else(|| action(control, "default"));
    matches!(control, "required" | "requisite") || matches!(failure, Some("die" | "bad"))
}

/// Whether the success of a line ends the stack, or skips the one `ahead` lines behind it.
fn gets_past(control: &str, ahead: usize) -> bool {
    let success = action(control, "success").or_else(|| action(control, "default"));
    control == "sufficient" || success.is_some_and(|action| action == "done" || action.parse::<usize>().is_ok_and(|lines| lines >= ahead))
}

/// What a control in brackets says of a result.
fn action<'a>(control: &'a str, result: &str) -> Option<&'a str> {
    let inner = control.strip_prefix('[')?.strip_suffix(']')?;
    inner.split_whitespace().filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == result).map(|(_, action)| action)
}

/// The lines that authenticate, those of included files in their places.
fn stack(context: &Context<'_>, path: &Path, depth: usize, lines: &mut Vec<Line>) -> Result<(), Gap> {
    let content = context.host.read(path).into_result()?;
    let content = content.ok_or_else(|| Gap::new(Origin::file(path), Reason::malformed("PAM's file is not there")))?;
    if depth > DEEPEST || lines.len() > MOST {
        return Err(Gap::new(Origin::file(path), Reason::malformed("files that include each other too deep")));
    }
    let text = String::from_utf8_lossy(&content).replace("\\\n", " ");
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        let origin = Origin::line(path, number);
        let included = |name: &str| -> Result<PathBuf, Gap> {
            let missing = || Gap::new(origin.clone(), Reason::malformed("a file that is included is not there"));
            if name.starts_with('/') { Ok(name.into()) } else { find(context, name)?.ok_or_else(missing) }
        };
        if let Some(name) = line.strip_prefix("@include") {
            stack(context, &included(name.trim())?, depth + 1, lines)?;
            continue;
        }
        let Some((kind, rest)) = line.split_once(char::is_whitespace) else { continue };
        if !kind.trim_start_matches('-').eq_ignore_ascii_case("auth") {
            continue;
        }
        let rest = rest.trim_start();
        let end = if rest.starts_with('[') { rest.find(']').map(|at| at + 1) } else { rest.find(char::is_whitespace) };
        let Some((control, rest)) = end.and_then(|end| rest.split_at_checked(end)) else {
            return Err(Gap::new(origin, Reason::malformed("no line of PAM")));
        };
        let mut words = rest.split_whitespace();
        let Some(module) = words.next() else { return Err(Gap::new(origin, Reason::malformed("no line of PAM"))) };
        let control = control.to_ascii_lowercase();
        match control.as_str() {
            "include" => stack(context, &included(module)?, depth + 1, lines)?,
            "substack" => {
                // What ends it does not end what is around it.
                let mut inner = Vec::new();
                stack(context, &included(module)?, depth + 1, &mut inner)?;
                lines.extend(inner.into_iter().filter(|line| !gets_past(&line.control, usize::MAX)));
            }
            _ => {
                let module = module.rsplit('/').next().unwrap_or(module).to_owned();
                lines.push(Line { control, module, arguments: words.map(str::to_owned).collect(), origin });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    const UNIX: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n";

    fn su(stack: &str) -> Su {
        let host = Memory::new()
            .file("/usr/bin/su", "")
            .file("/etc/pam.d/su", stack)
            .file("/etc/pam.d/common-auth", UNIX)
            .file("/etc/pam.d/system-auth", "auth sufficient pam_unix.so\nauth required pam_deny.so\n")
            .file("/etc/passwd", "root:x:0:0::/:/bin/sh\nal:x:1000:70::/:/bin/sh\n")
            .file("/etc/group", "root:x:0:\nsugroup:x:60:\nstaff:x:70:bob\n");
        Sus::collect(&Context::new(&host), &Selector::All).unwrap().remove(0)
    }

    fn said(stack: &str) -> (Option<bool>, Option<Vec<String>>) {
        let su = su(stack);
        let members = su.members.known().map(|members| members.iter().map(|name| name.raw().to_owned()).collect());
        (su.restricted.known().copied(), members)
    }

    #[test]
    fn a_binding_line_that_is_reached_restricts() {
        let wheel = "auth required pam_wheel.so use_uid group=sugroup\n";
        let nobody = (Some(true), Some(Vec::new()));
        for stack in [
            format!("auth sufficient pam_rootok.so\n{wheel}@include common-auth\n"),
            format!("auth sufficient pam_rootok.so\n@include common-auth\n{wheel}"),
            format!("auth substack system-auth\n{wheel}"),
            "auth [success=ok default=die] /lib/security/pam_wheel.so use_uid \\\n group=sugroup\n".to_owned(),
            "-auth REQUISITE pam_wheel.so group=sugroup use_uid # why\n".to_owned(),
            "auth required pam_wheel.so use_uid group=none_such\n".to_owned(),
        ] {
            assert_eq!(said(&stack), nobody, "{stack}");
        }
    }

    #[test]
    fn what_others_get_past_does_not() {
        for stack in [
            "auth sufficient pam_rootok.so\n# auth required pam_wheel.so use_uid group=sugroup\n@include common-auth\n",
            "auth include system-auth\nauth required pam_wheel.so use_uid group=sugroup\n",
            "auth [success=1 default=ignore] pam_unix.so\nauth required pam_wheel.so use_uid group=sugroup\n",
            "auth required pam_wheel.so group=sugroup\n",
            "auth required pam_wheel.so use_uid deny group=sugroup\n",
            "auth sufficient pam_wheel.so use_uid trust group=sugroup\n",
            "account required pam_wheel.so use_uid group=sugroup\n",
        ] {
            assert_eq!(said(stack).0, Some(false), "{stack}");
        }
    }

    #[test]
    fn members_are_those_with_it_as_primary_group_too() {
        assert_eq!(said("auth required pam_wheel.so use_uid group=staff\n").1, Some(vec!["al".to_owned(), "bob".to_owned()]));
        let default = su("auth required pam_wheel.so use_uid\n");
        assert_eq!(default.group.known().unwrap().raw(), "root");
        assert_eq!(said("auth required pam_wheel.so use_uid\n").1, Some(vec!["root".to_owned()]));
    }

    #[test]
    fn what_cannot_be_followed_is_unknown() {
        for stack in ["@include none-such\n", "@include su\n", "auth required\n"] {
            assert!(matches!(su(stack).restricted, Fact::Unknown(_)), "{stack}");
        }
        let text = "auth [success=1 default=ignore] pam_wheel.so use_uid group=x\n@include common-auth\n";
        for end in 0..=text.len() {
            let _ = su(&text[..end]);
        }
        assert!(Sus::collect(&Context::new(&Memory::new()), &Selector::All).unwrap().is_empty());
    }
}
