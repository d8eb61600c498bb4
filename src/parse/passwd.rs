//! Account files: passwd, group and shadow, read as the C library and `pam_unix` read them.
//!
//! A line they cannot read is no account, so it gives none here; its number is kept. The quirks matter, because they
//! can hide a second root: fields after the group id may be missing, and numbers may have blanks and signs before them.
//! Lines that begin with `+` or `-` belong to the NIS compatibility mode and are left out.
//! Hashes never leave this module: what is kept is whether a password is set and how it is hashed.

use crate::fact::Text;

/// What a file of accounts holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries<T> {
    /// The entries, in file order; names may repeat, and the first of a name or number is the one that counts.
    pub entries: Vec<T>,
    /// Lines, from 1, that could not be read as an entry.
    pub malformed: Vec<u32>,
    /// Lines, from 1, of the NIS compatibility mode.
    pub nis: Vec<u32>,
}

/// One line of passwd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passwd {
    /// Login name.
    pub name: Text,
    /// Numeric id.
    pub uid: u32,
    /// Numeric id of the primary group.
    pub gid: u32,
    /// Home directory; may be empty.
    pub home: Text,
    /// Login shell as written. Empty means `/bin/sh`.
    pub shell: Text,
    /// The password kept in this very line. `None` where shadow holds it (`x`): what shadow says does not count otherwise.
    pub password: Option<Password>,
    /// Line, from 1.
    pub line: u32,
}

/// One line of group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: Text,
    /// Numeric id.
    pub gid: u32,
    /// Members listed. Users with it as their primary group are usually not among them.
    pub members: Vec<Text>,
    /// Line, from 1.
    pub line: u32,
}

/// One line of shadow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// Login name.
    pub name: Text,
    /// What the password field says.
    pub password: Password,
    /// The numbers after it: day of the last change, least and most days between changes, days of warning, days of grace
    /// after it has run out, day on which the account ends. Days count from 1970.
    pub ageing: [Number; 6],
    /// Line, from 1.
    pub line: u32,
}

/// A number of shadow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// Empty or negative, which both mean that there is no such limit.
    None,
    /// A number.
    Is(i64),
    /// Something else. The C library then takes the whole line for no entry.
    Bad,
}

/// What a password field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Password {
    /// No password is asked for.
    Empty,
    /// No password can match: `!`, `*`, or anything else that is no hash.
    Locked,
    /// A hash by this scheme.
    Set(&'static str),
}

impl Password {
    /// Judges a password field: `yescrypt`, `sha512`, `sha256`, `bcrypt`, `md5`, `des` or `other` for a hash.
    #[must_use]
    pub fn of(field: &[u8]) -> Self {
        let crypt = |bytes: &[u8]| bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/'));
        match field {
            b"" => Self::Empty,
            [b'$', rest @ ..] => Self::Set(match rest.split(|b| *b == b'$').next().unwrap_or_default() {
                b"y" => "yescrypt",
                b"6" => "sha512",
                b"5" => "sha256",
                b"2" | b"2a" | b"2b" | b"2x" | b"2y" => "bcrypt",
                b"1" => "md5",
                _ => "other",
            }),
            [b'_', rest @ ..] if rest.len() == 19 && crypt(rest) => Self::Set("des"),
            _ if field.len() == 13 && crypt(field) => Self::Set("des"),
            _ => Self::Locked,
        }
    }
}

/// Reads `/etc/passwd`.
#[must_use]
pub fn passwd(bytes: &[u8]) -> Entries<Passwd> {
    entries(bytes, |line, fields| {
        let [name, password, uid, gid, rest @ ..] = fields else { return None };
        let field = |at: usize| rest.get(at).map(|field| Text::from_bytes(field)).unwrap_or_default();
        let shadowed = *password == b"x" || password.strip_prefix(b"##") == Some(*name);
        Some(Passwd {
            name: Text::from_bytes(name),
            uid: number(uid)?,
            gid: number(gid)?,
            home: field(1),
            // The shell is the rest of the line, colons included.
            shell: Text::from_bytes(&rest.get(2..).unwrap_or_default().join(&b':')),
            password: (!shadowed).then(|| Password::of(password)),
            line,
        })
    })
}

/// Reads `/etc/group`.
#[must_use]
pub fn group(bytes: &[u8]) -> Entries<Group> {
    entries(bytes, |line, fields| {
        let [name, _, gid, rest @ ..] = fields else { return None };
        let members = rest.first().copied().unwrap_or_default();
        let members = members.split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty());
        Some(Group { name: Text::from_bytes(name), gid: number(gid)?, members: members.map(Text::from_bytes).collect(), line })
    })
}

/// Reads `/etc/shadow`. The hash is judged in place and not copied.
#[must_use]
pub fn shadow(bytes: &[u8]) -> Entries<Shadow> {
    entries(bytes, |line, fields| {
        let [name, password, rest @ ..] = fields else { return None };
        let ageing = std::array::from_fn(|at| match rest.get(at).map(|field| field.trim_ascii_start()) {
            None | Some(b"") => Number::None,
            // Numbers are kept in 32 bits with a sign.
            Some(field) => number(field).map_or(Number::Bad, |value| match i32::from_ne_bytes(value.to_ne_bytes()) {
                ..0 => Number::None,
                value => Number::Is(value.into()),
            }),
        });
        Some(Shadow { name: Text::from_bytes(name), password: Password::of(password), ageing, line })
    })
}

fn entries<T>(bytes: &[u8], read: impl Fn(u32, &[&[u8]]) -> Option<T>) -> Entries<T> {
    let mut found = Entries { entries: Vec::new(), malformed: Vec::new(), nis: Vec::new() };
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        let line = line.trim_ascii_start();
        match line.first() {
            None | Some(b'#') => {}
            Some(b'+' | b'-') => found.nis.push(number),
            Some(_) => {
                let fields: Vec<&[u8]> = line.split(|b| *b == b':').collect();
                let named = fields.first().is_some_and(|name| !name.is_empty());
                match read(number, &fields).filter(|_| named) {
                    Some(entry) => found.entries.push(entry),
                    None => found.malformed.push(number),
                }
            }
        }
    }
    found
}

/// A number as `strtoul` reads it, held to 32 bits: ` 0`, `+0` and `-0` are all root.
fn number(field: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(field.trim_ascii_start()).ok()?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<u64>().map_or(u64::MAX, |value| if negative { value.wrapping_neg() } else { value });
    Some(u32::try_from(value).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwd_is_read_as_the_c_library_reads_it() {
        let text = b"root:x:0:0:root:/root:/bin/bash\n# a comment\n\n  spaced:x:7:7::/:/bin/sh\ntoor::0:0\nodd:*: -0:+5:g:/h:/bin/a:b\n\
            +nis::::::\nbroken:x:zero:0::/:\nno-gid:x:5\n:x:9:9::/:\nhuge:x:99999999999:1::/:/bin/sh";
        let found = passwd(text);
        let names: Vec<_> = found.entries.iter().map(|e| (e.name.raw(), e.uid, e.gid, e.line)).collect();
        assert_eq!(names, [("root", 0, 0, 1), ("spaced", 7, 7, 4), ("toor", 0, 0, 5), ("odd", 0, 5, 6), ("huge", u32::MAX, 1, 11)]);
        assert_eq!((found.nis, found.malformed), (vec![7], vec![8, 9, 10]));
        assert_eq!(found.entries[2].password, Some(Password::Empty), "an empty field in passwd is no password, whatever shadow says");
        assert_eq!(found.entries[0].password, None);
        assert_eq!(found.entries[3].shell.raw(), "/bin/a:b");
    }

    #[test]
    fn members_are_listed_and_may_be_missing() {
        let found = group(b"docker:x:999:al, bob,,\nempty:x:5:\nbare:x:6\nbad:x:\n");
        let members: Vec<Vec<&str>> = found.entries.iter().map(|g| g.members.iter().map(Text::raw).collect()).collect();
        assert_eq!(members, [vec!["al", "bob"], vec![], vec![]]);
        assert_eq!(found.malformed, [4]);
    }

    #[test]
    fn ageing_is_read_in_numbers() {
        let found = shadow(b"a:*:19000:0:99999:7:::\nb:*:x:-1: 5:+7:4294967295:\nc:*\n");
        use Number::{Bad, Is, None};
        let ageing: Vec<_> = found.entries.iter().map(|e| e.ageing).collect();
        assert_eq!(ageing, [[Is(19_000), Is(0), Is(99_999), Is(7), None, None], [Bad, None, Is(5), Is(7), None, None], [None; 6]]);
    }

    #[test]
    fn cut_anywhere_nothing_breaks() {
        let text = b"root:x:0:0:r\xff\0:/root:/bin/sh\r\n+::::\ndocker:x:999:al,\nroot:$y$j9T$s$h:1:-2:3:4:5:6:7\n";
        for end in 0..=text.len() {
            let text = text.get(..end).unwrap();
            let _ = (passwd(text), group(text), shadow(text));
        }
        let long = vec![b':'; 1 << 20];
        assert_eq!(passwd(&long).malformed, [1]);
    }

    #[test]
    fn shadow_fields_are_judged_and_dropped() {
        let found = shadow(b"a:$y$j9T$salt$hash:1:::::\nb:!$6$x$y:\nc::1\nd:*:\ne:abcdefghijklm:\nf:$6$s$h\ng:!!:\nh:$gy$x:\ni:x:\nj\n");
        let words: Vec<_> = found.entries.iter().map(|e| e.password).collect();
        use Password::{Empty, Locked, Set};
        assert_eq!(
            words,
            [Set("yescrypt"), Locked, Empty, Locked, Set("des"), Set("sha512"), Locked, Set("other"), Locked],
            "anything that is no hash locks"
        );
        assert_eq!(found.malformed, [10]);
        assert!(!format!("{:?}", found.entries).contains("hash"));
    }
}
