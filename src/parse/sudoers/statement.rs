//! Statements: what one logical line says.

use super::cursor::Cursor;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Another file stands here.
    Include(String),
    /// The files of a directory stand here.
    IncludeDirectory(String),
    /// Names for lists.
    Aliases(Vec<Alias>),
    /// Settings, for whom.
    Defaults(Scope, Vec<Setting>),
    /// Who may run what, on which hosts.
    Rule(Vec<Member>, Vec<(Vec<Member>, Vec<CommandSpec>)>),
}

/// What an alias is a list of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Users who run something.
    User,
    /// Users as whom it runs.
    Runas,
    /// Hosts.
    Host,
    /// Commands.
    Command,
}

/// A name for a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// What it is a list of.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The list.
    pub members: Vec<Member>,
}

/// One element of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Whether it is taken out instead.
    pub negated: bool,
    /// The element, quotes and escapes taken away.
    pub text: String,
}

/// For whom a setting is: a kind of thing and a list of them; `None` for everybody.
pub type Scope = Option<(Kind, Vec<Member>)>;

/// How a setting changes what was set before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// On.
    On,
    /// Off.
    Off,
    /// To this.
    Set(String),
    /// These are added to a list.
    Add(String),
    /// These are taken from a list.
    Remove(String),
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What it does.
    pub change: Change,
}

/// One command and how it may be run. Who runs it and tags hold for those behind it in its list too, and are put in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandSpec {
    /// Users as whom it runs; `None` where nothing is said, which means root.
    pub runas_users: Option<Vec<Member>>,
    /// Groups as which it runs.
    pub runas_groups: Vec<Member>,
    /// Tags in force, each as written, such as `NOPASSWD`.
    pub tags: Vec<String>,
    /// Whether it is taken out instead.
    pub negated: bool,
    /// Path and arguments, `ALL`, or an alias.
    pub command: String,
}

const TAGS: [(&str, &str); 18] = [
    ("PASSWD", "NOPASSWD"),
    ("NOPASSWD", "PASSWD"),
    ("EXEC", "NOEXEC"),
    ("NOEXEC", "EXEC"),
    ("SETENV", "NOSETENV"),
    ("NOSETENV", "SETENV"),
    ("LOG_INPUT", "NOLOG_INPUT"),
    ("NOLOG_INPUT", "LOG_INPUT"),
    ("LOG_OUTPUT", "NOLOG_OUTPUT"),
    ("NOLOG_OUTPUT", "LOG_OUTPUT"),
    ("MAIL", "NOMAIL"),
    ("NOMAIL", "MAIL"),
    ("FOLLOW", "NOFOLLOW"),
    ("NOFOLLOW", "FOLLOW"),
    ("FOLLOWLNK", "NOFOLLOW"),
    ("NOFOLLOWLNK", "FOLLOW"),
    ("INTERCEPT", "NOINTERCEPT"),
    ("NOINTERCEPT", "INTERCEPT"),
];
const OPTIONS: [&str; 10] =
    ["ROLE", "TYPE", "PRIVS", "LIMITPRIVS", "CWD", "CHROOT", "TIMEOUT", "NOTBEFORE", "NOTAFTER", "APPARMOR_PROFILE"];
const BETWEEN: [char; 8] = [' ', '\t', '\r', ',', '=', ':', '(', ')'];

/// What a logical line says. `None` where it says nothing.
///
/// # Errors
/// What sudo would not understand in it.
pub fn statement(line: &str) -> Result<Option<Statement>, &'static str> {
    let trimmed = line.trim();
    for (start, directory) in [("includedir", true), ("include", false)] {
        let Some(rest) = trimmed.strip_prefix(['#', '@']).and_then(|rest| rest.strip_prefix(start)) else { continue };
        if rest.starts_with([' ', '\t']) {
            let mut cursor = Cursor::new(rest);
            cursor.blanks();
            let path = cursor.word(&[' ', '\t']).filter(|path| !path.is_empty()).ok_or("an include without a path")?;
            return Ok(Some(if directory { Statement::IncludeDirectory(path) } else { Statement::Include(path) }));
        }
    }
    let mut cursor = Cursor::new(trimmed);
    if cursor.at_end() {
        return Ok(None);
    }
    if let Some(rest) = trimmed.strip_prefix("Defaults")
        && rest.starts_with([' ', '\t', '@', ':', '!', '>'])
    {
        return defaults(rest).map(Some);
    }
    for (word, kind) in [
        ("User_Alias", Kind::User),
        ("Runas_Alias", Kind::Runas),
        ("Host_Alias", Kind::Host),
        ("Cmnd_Alias", Kind::Command),
        ("Cmd_Alias", Kind::Command),
    ] {
        if let Some(rest) = trimmed.strip_prefix(word).filter(|rest| rest.starts_with([' ', '\t'])) {
            return aliases(kind, rest).map(Some);
        }
    }
    rule(trimmed).map(Some)
}

fn defaults(rest: &str) -> Result<Statement, &'static str> {
    let mut cursor = Cursor::new(rest);
    let kind = match cursor.peek() {
        Some('@') => Some(Kind::Host),
        Some(':') => Some(Kind::User),
        Some('>') => Some(Kind::Runas),
        Some('!') => Some(Kind::Command),
        _ => None,
    };
    let mut scope = None;
    if let Some(kind) = kind {
        let sign = cursor.peek().map(String::from).unwrap_or_default();
        cursor.take(&sign);
        scope = Some((kind, list(&mut cursor)?));
    }
    let mut settings = Vec::new();
    loop {
        if cursor.at_end() {
            return if settings.is_empty() { Err("Defaults without a setting") } else { Ok(Statement::Defaults(scope, settings)) };
        }
        let negated = cursor.negation();
        let name = cursor.word(&[' ', '\t', ',', '=', '+', '-', '!']).ok_or("a setting without a name")?;
        cursor.blanks();
        let sign = ["+=", "-=", "="].into_iter().find(|sign| cursor.take(sign));
        let change = match sign {
            None if negated => Change::Off,
            None => Change::On,
            Some(_) if negated => return Err("a value for what is switched off"),
            Some(sign) => {
                cursor.blanks();
                let value = cursor.word(&[' ', '\t', ',', '#']).unwrap_or_default();
                match sign {
                    "=" => Change::Set(value),
                    "+=" => Change::Add(value),
                    _ => Change::Remove(value),
                }
            }
        };
        settings.push(Setting { name, change });
        if !cursor.at_end() && !cursor.take(",") {
            return Err("something behind a setting");
        }
    }
}

fn aliases(kind: Kind, rest: &str) -> Result<Statement, &'static str> {
    let mut cursor = Cursor::new(rest);
    let mut found = Vec::new();
    loop {
        cursor.blanks();
        let name = cursor.word(&[' ', '\t', '=']).ok_or("an alias without a name")?;
        let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if !is_name {
            return Err("a name that no alias may have");
        }
        cursor.blanks();
        if !cursor.take("=") {
            return Err("an alias without a list");
        }
        let members = if kind == Kind::Command { commands(&mut cursor)? } else { list(&mut cursor)? };
        found.push(Alias { kind, name, members });
        if cursor.at_end() {
            return Ok(Statement::Aliases(found));
        }
        if !cursor.take(":") {
            return Err("something behind an alias");
        }
    }
}

fn rule(line: &str) -> Result<Statement, &'static str> {
    let mut cursor = Cursor::new(line);
    let users = list(&mut cursor)?;
    let mut granted = Vec::new();
    loop {
        let hosts = list(&mut cursor)?;
        cursor.blanks();
        if !cursor.take("=") {
            return Err("a rule without commands");
        }
        granted.push((hosts, specs(&mut cursor)?));
        if cursor.at_end() {
            return Ok(Statement::Rule(users, granted));
        }
        if !cursor.take(":") {
            return Err("something behind a rule");
        }
    }
}

/// Elements with commas between.
fn list(cursor: &mut Cursor<'_>) -> Result<Vec<Member>, &'static str> {
    let mut members = Vec::new();
    loop {
        let negated = cursor.negation();
        // `%:group` and addresses of IPv6 have colons of their own.
        let stop: &[char] = if cursor.rest().starts_with("%:") { &[' ', '\t', '\r', ',', '=', '(', ')'] } else { &BETWEEN };
        let text = cursor.word(stop).ok_or("a list with nothing in it")?;
        members.push(Member { negated, text });
        cursor.blanks();
        if !cursor.take(",") {
            return Ok(members);
        }
    }
}

/// Commands of an alias.
fn commands(cursor: &mut Cursor<'_>) -> Result<Vec<Member>, &'static str> {
    let mut members = Vec::new();
    loop {
        let negated = cursor.negation();
        members.push(Member { negated, text: command(cursor)? });
        cursor.blanks();
        if !cursor.take(",") {
            return Ok(members);
        }
    }
}

/// A path with its arguments, digests before it left out.
fn command(cursor: &mut Cursor<'_>) -> Result<String, &'static str> {
    loop {
        cursor.blanks();
        let digest = ["sha224:", "sha256:", "sha384:", "sha512:"].iter().any(|name| cursor.rest().starts_with(name));
        if !digest {
            break;
        }
        cursor.word(&[' ', '\t', ',']).ok_or("a digest without a command")?;
        cursor.blanks();
        cursor.take(",");
    }
    let path = cursor.word(&[' ', '\t', ',', ':', '=']).ok_or("a list without a command")?;
    let mut command = path;
    loop {
        cursor.blanks();
        match cursor.peek() {
            None | Some(',' | ':') => return Ok(command),
            _ => {
                let argument = cursor.word(&[' ', '\t', ',', ':']).ok_or("a quote that stays open")?;
                command.push(' ');
                command.push_str(if argument.is_empty() { "\"\"" } else { &argument });
            }
        }
    }
}

/// Commands of a rule, with what stands before each.
fn specs(cursor: &mut Cursor<'_>) -> Result<Vec<CommandSpec>, &'static str> {
    let mut found = Vec::new();
    let mut now = CommandSpec::default();
    loop {
        cursor.blanks();
        if cursor.take("(") {
            (now.runas_users, now.runas_groups) = runas(cursor)?;
        }
        while let Some(word) = option_or_tag(cursor) {
            if let Some((tag, opposite)) = TAGS.iter().find(|(tag, _)| *tag == word) {
                now.tags.retain(|other| other != opposite && other != tag);
                now.tags.push((*tag).to_owned());
            }
        }
        now.negated = cursor.negation();
        now.command = command(cursor)?;
        found.push(now.clone());
        cursor.blanks();
        if !cursor.take(",") {
            return Ok(found);
        }
    }
}

/// A tag with its colon or an option with its value, passed over. `None` where a command begins.
fn option_or_tag(cursor: &mut Cursor<'_>) -> Option<String> {
    cursor.blanks();
    let rest = cursor.rest();
    let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_')?;
    let (word, after) = rest.split_at(end);
    let after = after.trim_start();
    if after.starts_with(':') && TAGS.iter().any(|(tag, _)| *tag == word) {
        cursor.word(&[':'])?;
        cursor.take(":");
        return Some(word.to_owned());
    }
    if after.starts_with('=') && OPTIONS.contains(&word) {
        cursor.word(&['='])?;
        cursor.take("=");
        cursor.blanks();
        cursor.word(&[' ', '\t'])?;
        return Some(word.to_owned());
    }
    None
}

/// Users and groups in parentheses: `None` for users where only groups are given, which leaves the user as he is.
type Runas = (Option<Vec<Member>>, Vec<Member>);

fn runas(cursor: &mut Cursor<'_>) -> Result<Runas, &'static str> {
    let mut users = None;
    let mut groups = Vec::new();
    cursor.blanks();
    if !matches!(cursor.peek(), Some(':' | ')')) {
        users = Some(list(cursor)?);
    }
    cursor.blanks();
    if cursor.take(":") {
        cursor.blanks();
        if cursor.peek() != Some(')') {
            groups = list(cursor)?;
        }
        users = users.or(Some(Vec::new()));
    }
    cursor.blanks();
    if cursor.take(")") { Ok((users.or(Some(Vec::new())), groups)) } else { Err("parentheses that stay open") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Statement {
        statement(line).unwrap().unwrap()
    }

    fn commands_of(line: &str) -> Vec<(String, Vec<String>, bool)> {
        match said(line) {
            Statement::Rule(_, granted) => {
                granted.into_iter().flat_map(|(_, specs)| specs).map(|spec| (spec.command, spec.tags, spec.negated)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn is(command: &str, tags: &[&str], negated: bool) -> (String, Vec<String>, bool) {
        (command.to_owned(), tags.iter().map(|tag| (*tag).to_owned()).collect(), negated)
    }

    #[test]
    fn includes_are_statements_whatever_sign_they_have() {
        assert_eq!(said("#include /etc/x"), Statement::Include("/etc/x".to_owned()));
        assert_eq!(said("@include \"/etc/a b\" # c"), Statement::Include("/etc/a b".to_owned()));
        assert_eq!(said("@includedir /etc/sudoers.d"), Statement::IncludeDirectory("/etc/sudoers.d".to_owned()));
        for nothing in ["", "# x", "#includes of old", "  # NOPASSWD: ALL"] {
            assert_eq!(statement(nothing), Ok(None), "{nothing}");
        }
    }

    #[test]
    fn settings_are_scoped_negated_and_listed() {
        let Statement::Defaults(None, settings) =
            said("Defaults use_pty, !lecture, logfile=\"/var/log/su do\", env_keep += \"A B\", x = y # z")
        else {
            panic!()
        };
        let changes: Vec<_> = settings.iter().map(|setting| (setting.name.as_str(), setting.change.clone())).collect();
        assert_eq!(
            changes,
            [
                ("use_pty", Change::On),
                ("lecture", Change::Off),
                ("logfile", Change::Set("/var/log/su do".to_owned())),
                ("env_keep", Change::Add("A B".to_owned())),
                ("x", Change::Set("y".to_owned())),
            ]
        );
        for (line, kind) in [
            ("Defaults:al,%w !authenticate", Kind::User),
            ("Defaults@h !authenticate", Kind::Host),
            ("Defaults!/bin/ls !authenticate", Kind::Command),
            ("Defaults>root !authenticate", Kind::Runas),
        ] {
            assert!(matches!(said(line), Statement::Defaults(Some((of, _)), _) if of == kind), "{line}");
        }
        assert!(matches!(said("Defaults !authenticate"), Statement::Defaults(None, _)));
    }

    #[test]
    fn tags_hold_for_what_is_behind_them() {
        let line = "al ALL = (root) NOPASSWD: /bin/a, NOEXEC: /bin/b x\\,y, PASSWD: !/bin/c : H = /bin/d";
        assert_eq!(
            commands_of(line),
            [
                is("/bin/a", &["NOPASSWD"], false),
                is("/bin/b x,y", &["NOPASSWD", "NOEXEC"], false),
                is("/bin/c", &["NOEXEC", "PASSWD"], true),
                is("/bin/d", &[], false),
            ]
        );
        assert_eq!(commands_of("%sudo ALL=(ALL:ALL) NOPASSWD:ALL"), [is("ALL", &["NOPASSWD"], false)]);
        assert_eq!(
            commands_of("al ALL = NOPASSWD: SETENV: DOCKER, CWD=/x TIMEOUT=5m sha256:ab /bin/z \"\""),
            [is("DOCKER", &["NOPASSWD", "SETENV"], false), is("/bin/z \"\"", &["NOPASSWD", "SETENV"], false),]
        );
    }

    #[test]
    fn users_are_lists_with_numbers_groups_and_quotes() {
        let Statement::Rule(users, granted) = said("#1000, %#0, \"a b\", c\\ d, !e ALL, !h = (root, #0 : adm) ALL") else { panic!() };
        let users: Vec<_> = users.iter().map(|member| (member.negated, member.text.as_str())).collect();
        assert_eq!(users, [(false, "#1000"), (false, "%#0"), (false, "a b"), (false, "c d"), (true, "e")]);
        let spec = &granted[0].1[0];
        assert_eq!((spec.runas_users.as_ref().map(Vec::len), spec.runas_groups.len()), (Some(2), 1));
    }

    #[test]
    fn aliases_are_lists_with_names() {
        let Statement::Aliases(aliases) = said("Cmnd_Alias A = /bin/x y, !B : C = sudoedit /etc/f") else { panic!() };
        assert_eq!(aliases.iter().map(|alias| alias.name.as_str()).collect::<Vec<_>>(), ["A", "C"]);
        assert_eq!(aliases[0].members[0].text, "/bin/x y");
        assert!(aliases[0].members[1].negated);
    }

    #[test]
    fn what_sudo_does_not_understand_is_said() {
        for line in [
            "al",
            "al ALL",
            "al ALL =",
            "al ALL = (root ALL",
            "Defaults",
            "Defaults x y",
            "User_Alias a = b",
            "User_Alias A",
            "\"al ALL=ALL",
            "@include ",
        ] {
            assert!(!matches!(statement(line), Ok(Some(_))), "{line}: {:?}", statement(line));
        }
    }
}
