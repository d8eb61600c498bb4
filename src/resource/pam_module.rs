//! One module in the stacks that all services share: whether it is there to effect, and how it is told to work.

use crate::fact::{Fact, Flag, Gap, List, Origin, Text, record};

use super::login_defs::Settings;
use super::pam::{self, Stack};
use super::{Context, Resource, Selector};

record! {
    /// One module in one of the stacks that the services of this distribution share, from all of its lines that can run.
    pub struct PamModule("pam_module") {
        /// Service and module: `common-auth pam_unix.so`.
        name: Text,
        /// The service whose stack it is.
        service: Text,
        /// The module.
        module: Text,
        /// Whether a line that can run calls it.
        present: Flag,
        /// Arguments of all those lines; absent where there is none.
        arguments: List,
        /// Whether it runs before `pam_unix.so`, and never after it.
        before_unix: Flag,
        /// Whether it lets through whatever `pam_unix.so` lets through: no way leads past it or in spite of its failure.
        enforced: Flag,
        /// How `pam_unix.so` hashes new passwords, the last keyword or else `ENCRYPT_METHOD` of login.defs: `yescrypt`, `sha512`,
        /// `gost_yescrypt`, `blowfish`, `sha256`, `md5`, `bigcrypt` or `des`. Absent for other modules and stacks.
        hash: Text,
    }
}

/// Finds the records.
pub struct PamModules;

impl Resource for PamModules {
    type Row = PamModule;
    const SELECTOR: &'static str =
        "`{ stack = …, module = … }`: `authentication`, `account`, `password-change`, `session` or `session-noninteractive`, and `pam_unix.so`; one record for each service that holds the stack";
    const ENUMERABLE: bool = false;
    const ARGUMENTS: &'static [&'static str] = &["stack", "module"];

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let modules = of.required("module")?;
        let mut rows = Vec::new();
        for name in of.required("stack")? {
            for (service, stack) in pam::shared(context, name)? {
                rows.extend(modules.iter().map(|module| row(context, &service, &stack, module)));
            }
        }
        Ok(rows)
    }
}

fn row(context: &Context<'_>, service: &str, stack: &Stack, module: &str) -> PamModule {
    let lines: Vec<_> = stack.calls(module).collect();
    let origin = lines.first().map_or_else(|| Origin::file(format!("/etc/pam.d/{service}")), |(_, line)| line.origin.clone());
    let known = |text: &str| Fact::Known(Text::from(text), origin.clone());
    let present = !lines.is_empty();
    let is_one = |place: usize| lines.iter().any(|(other, _)| *other == place);
    PamModule {
        name: known(&format!("{service} {module}")),
        service: known(service),
        module: known(module),
        present: Fact::Known(present, origin.clone()),
        arguments: match present {
            true => Fact::Known(lines.iter().flat_map(|(_, line)| line.arguments.iter().cloned()).collect(), origin.clone()),
            false => Fact::Absent(origin.clone()),
        },
        before_unix: stack.is_before_unix(is_one, &origin),
        enforced: stack.can_be_bypassed(is_one, &origin).map(|bypassed| present && !bypassed),
        hash: match lines.first() {
            Some((_, line)) if module == "pam_unix.so" && line.kind == "password" => hash(context, &line.arguments, &origin),
            _ => Fact::Absent(origin),
        },
    }
}

/// The keywords of `pam_unix.so`, in the order in which it compares their beginnings.
const HASHES: [&str; 8] = ["md5", "bigcrypt", "sha256", "sha512", "blowfish", "des", "gost_yescrypt", "yescrypt"];

/// Arguments only have to begin with a keyword; the last one counts.
fn hash(context: &Context<'_>, arguments: &[Text], origin: &Origin) -> Fact<Text> {
    let keyword = |argument: &str| HASHES.into_iter().find(|hash| argument.starts_with(hash));
    if let Some(hash) = arguments.iter().rev().find_map(|argument| keyword(argument.raw())) {
        return Fact::Known(hash.into(), origin.clone());
    }
    // Without regard to case, and again only the beginning counts.
    match Settings::of(context).for_pam("ENCRYPT_METHOD").map(|method| keyword(&method.raw().to_ascii_lowercase())) {
        Fact::Known(Some(hash), origin) => Fact::Known(hash.into(), origin),
        Fact::Known(None, _) | Fact::Absent(_) => Fact::Known("des".into(), Origin::default_of("pam_unix")),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    fn module(host: &Memory, stack: &str, module: &str) -> Vec<PamModule> {
        let arguments = [("stack", stack), ("module", module)].map(|(name, value)| (name.to_owned(), vec![value.to_owned()]));
        PamModules::collect(&Context::new(host), &Selector::Named(arguments.into())).unwrap()
    }

    #[test]
    fn both_stacks_of_red_hat_are_told_apart() {
        let host = Memory::new()
            .file("/etc/pam.d/system-auth", "password requisite pam_pwquality.so\npassword sufficient pam_unix.so sha512 use_authtok\n")
            .file("/etc/pam.d/password-auth", "password sufficient pam_unix.so md5 sha256\n");
        let rows = module(&host, "password-change", "pam_pwquality.so");
        let enforced: Vec<_> = rows.iter().map(|row| (row.service.known().unwrap().raw(), row.enforced.known().copied().unwrap())).collect();
        assert_eq!(enforced, [("system-auth", true), ("password-auth", false)]);
        let hashes: Vec<_> =
            module(&host, "password-change", "pam_unix.so").into_iter().map(|row| row.hash.known().unwrap().raw().to_owned()).collect();
        assert_eq!(hashes, ["sha512", "sha256"], "the last keyword counts");
    }

    #[test]
    fn login_defs_hashes_where_the_line_does_not() {
        let host = Memory::new().file("/etc/pam.d/common-password", "password required pam_unix.so obscure\n");
        let hash = |host: &Memory| module(host, "password-change", "pam_unix.so").remove(0).hash;
        assert_eq!(hash(&host), Fact::Known("des".into(), Origin::default_of("pam_unix")));
        let host = host.file("/etc/login.defs", "encrypt_method SHA512\nENCRYPT_METHOD MD5\n");
        assert_eq!(hash(&host), Fact::Known("sha512".into(), Origin::line("/etc/login.defs", 1)));
    }
}
