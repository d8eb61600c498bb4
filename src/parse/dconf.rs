//! dconf: profiles, keyfiles and locks.

use crate::parse::ini;

/// A database a profile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The user's own.
    User,
    /// One of the system's, by name: made from `/etc/dconf/db/NAME.d`.
    System(String),
    /// A compiled one at a path.
    File(String),
}

/// The databases of a profile, in order. Lines that are none are ignored.
#[must_use]
pub fn profile(text: &str) -> Vec<Source> {
    let source = |line: &str| {
        let line = line.split('#').next()?.trim();
        let (kind, name) = line.split_once(':')?;
        Some(match kind {
            "user-db" | "service-db" => Source::User,
            "system-db" => Source::System(name.to_owned()),
            "file-db" => Source::File(name.to_owned()),
            _ => return None,
        })
    };
    text.lines().filter_map(source).collect()
}

/// The value a keyfile gives a key, as plain text, and the line; the last assignment counts.
#[must_use]
pub fn value(text: &str, key: &str) -> Option<(String, u32)> {
    let (section, name) = key.trim_start_matches('/').rsplit_once('/')?;
    // The quotes of a string are a part of the value, which the reader of INI files takes off as this would.
    let found = ini::parse(text).filter(|found| found.section == section && found.key == name).last()?;
    Some((plain(found.value), found.line))
}

/// A value without the type written before it and without quotes.
fn plain(value: &str) -> String {
    const TYPES: [&str; 9] = ["boolean", "byte", "int16", "uint16", "int32", "uint32", "int64", "uint64", "double"];
    let value = match value.split_once(' ') {
        Some((kind, rest)) if TYPES.contains(&kind) => rest.trim(),
        _ => value,
    };
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    quoted('\'').or_else(|| quoted('"')).unwrap_or(value).to_owned()
}

/// The line of a file of locks that covers a key: the key itself, or a directory above it.
#[must_use]
pub fn lock(text: &str, key: &str) -> Option<u32> {
    (1..).zip(text.lines().map(str::trim)).find_map(|(number, line)| {
        let covers = line == key || (line.starts_with('/') && line.ends_with('/') && key.starts_with(line));
        covers.then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_values_and_locks() {
        let found = profile("user-db:user\n# x\nsystem-db:gdm # y\nfile-db:/usr/share/gdm/greeter-dconf-defaults\nnonsense\n");
        assert_eq!(found, [Source::User, Source::System("gdm".into()), Source::File("/usr/share/gdm/greeter-dconf-defaults".into())]);
        let text = "[org/gnome/desktop/session]\n# idle-delay=uint32 1\nidle-delay=uint32 900\n[org/gnome/login-screen]\n\
            banner-message-text='it''s'\nbanner-message-enable=true\ndisable-user-list = \"x\"\n";
        let of = |key: &str| value(text, key);
        assert_eq!(of("/org/gnome/desktop/session/idle-delay"), Some(("900".into(), 3)));
        assert_eq!(of("/org/gnome/login-screen/banner-message-enable"), Some(("true".into(), 6)));
        assert_eq!(of("/org/gnome/login-screen/banner-message-text"), Some(("it''s".into(), 5)));
        assert_eq!((of("/org/gnome/login-screen/idle-delay"), of("x")), (None, None));
        assert_eq!(lock("# a\n/org/gnome/a\n/org/x/\n", "/org/gnome/a"), Some(2));
        assert_eq!(
            (lock("/org/gnome/a\n", "/org/gnome/ab"), lock("/org/x/", "/org/x/y"), lock("org/x/", "org/x/y")),
            (None, Some(1), None)
        );
    }

    #[test]
    fn cut_anywhere_it_is_read_or_ignored() {
        let text = "[a/b]\nc='d'\n[e";
        for end in 0..=text.len() {
            assert!(value(&text[..end], "/a/b/c").is_none_or(|(_, line)| line == 2));
        }
        assert_eq!(plain("'"), "'");
    }
}
