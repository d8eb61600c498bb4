//! The system-wide policy on cryptography of Fedora and its kin: its choice and what it comes to.

/// One property of a policy, as `CURRENT.pol` lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Name, such as `cipher`.
    pub name: String,
    /// The back end it is for, such as `openssh-server`; empty for all that have none of their own.
    pub scope: String,
    /// Its values.
    pub values: Vec<String>,
    /// Line, from 1.
    pub line: u32,
}

/// The first line that says something: the policy and its modules, such as `DEFAULT:NO-SHA1`, and the line.
#[must_use]
pub fn choice(text: &str) -> Option<(&str, u32)> {
    (1..).zip(text.lines()).find_map(|(number, line)| {
        let line = line.split('#').next().unwrap_or_default().trim();
        (!line.is_empty()).then_some((line, number))
    })
}

/// Reads a policy.
#[must_use]
pub fn properties(text: &str) -> Vec<Property> {
    let property = |(line, text): (u32, &str)| {
        let (name, values) = text.split('#').next()?.split_once('=')?;
        let (name, scope) = name.trim().split_once('@').unwrap_or((name.trim(), ""));
        (!name.is_empty()).then(|| Property {
            name: name.to_ascii_lowercase(),
            scope: scope.to_ascii_lowercase(),
            values: values.split_whitespace().map(str::to_owned).collect(),
            line,
        })
    };
    (1..).zip(text.lines()).filter_map(property).collect()
}

/// The properties of a name that count for the back ends of SSH: their own, and that for all where one has none.
#[must_use]
pub fn for_ssh<'a>(properties: &'a [Property], name: &str) -> Vec<&'a Property> {
    const BACK_ENDS: [&str; 3] = ["openssh-server", "openssh-client", "libssh"];
    let named = |scope: &str| properties.iter().rev().find(|property| property.name == name && property.scope == scope);
    let mut found: Vec<&Property> = Vec::new();
    for back_end in BACK_ENDS {
        // A scope may name several at once.
        let family = if back_end.starts_with("openssh") { "openssh" } else { "ssh" };
        let property = [back_end, family, "ssh", ""].iter().find_map(|scope| named(scope));
        found.extend(property.filter(|property| !found.iter().any(|earlier| earlier.line == property.line)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "# Policy DEFAULT dump\ncipher = AES-256-GCM AES-256-CBC\nhash = SHA2-256 SHA1 # x\nsha1_in_certs = 0\n\
        cipher@openssh-server = AES-256-GCM\ncipher@libssh = AES-256-GCM CHACHA20-POLY1305\n= x\nnonsense\n";

    #[test]
    fn the_choice_is_the_first_word_said() {
        assert_eq!(choice("# c\n\n DEFAULT:NO-SHA1 # why\nLEGACY\n"), Some(("DEFAULT:NO-SHA1", 3)));
        assert_eq!((choice(""), choice("# x\n")), (None, None));
    }

    #[test]
    fn scopes_come_before_what_is_for_all() {
        let found = properties(POLICY);
        assert_eq!(found.iter().map(|property| property.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        assert_eq!(found[1].values, ["SHA2-256", "SHA1"]);
        let lines = |name| for_ssh(&found, name).iter().map(|property| property.line).collect::<Vec<_>>();
        assert_eq!(lines("cipher"), [5, 2, 6], "the client has none of its own");
        assert_eq!((lines("hash"), lines("etm")), (vec![3], vec![]));
    }

    #[test]
    fn cut_anywhere_it_is_read_or_ignored() {
        for end in 0..=POLICY.len() {
            assert!(properties(&POLICY[..end]).len() <= 5);
        }
    }
}
