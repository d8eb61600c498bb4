//! The fields a rule can compare, and the one spelling of each value.

mod tables;

use std::fmt;

use super::{Escaped, Machine};
use tables::{FIELDS, FILE_SYSTEMS, FILE_TYPES, MESSAGES, PAIRS};

/// What the text of a rule needs to know of its host to be read as the kernel would get it.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// Whose system calls count.
    pub machine: Machine,
    /// The number of a user.
    pub user: &'a dyn Fn(&str) -> Option<u32>,
    /// The number of a group.
    pub group: &'a dyn Fn(&str) -> Option<u32>,
}

impl Names<'_> {
    /// A machine whose users and groups are not known, but for root.
    #[must_use]
    pub fn of(machine: Machine) -> Self {
        let root = &|name: &str| (name == "root").then_some(0);
        Names { machine, user: root, group: root }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `&`: some bit is set.
    Mask,
    /// `&=`: every bit is set.
    Test,
}

/// Longer signs first, so that the first that is found is the one meant.
const OPERATORS: [(&str, Operator, u32); 8] = [
    ("!=", Operator::NotEqual, 0x3000_0000),
    ("<=", Operator::LessOrEqual, 0x5000_0000),
    (">=", Operator::GreaterOrEqual, 0x6000_0000),
    ("&=", Operator::Test, 0x4800_0000),
    ("=", Operator::Equal, 0x4000_0000),
    ("<", Operator::Less, 0x1000_0000),
    (">", Operator::Greater, 0x2000_0000),
    ("&", Operator::Mask, 0x0800_0000),
];

impl Operator {
    /// The operator in the kernel's flags of a field.
    #[must_use]
    pub fn of_flags(flags: u32) -> Option<Self> {
        OPERATORS.iter().find(|(_, _, bits)| flags & 0x7800_0000 == *bits).map(|(_, operator, _)| *operator)
    }

    /// Splits `auid>=1000` at the first operator.
    #[must_use]
    pub fn split(text: &str) -> Option<(&str, Self, &str)> {
        let (at, _) = text.char_indices().find(|(_, c)| matches!(c, '!' | '<' | '>' | '&' | '='))?;
        let (field, rest) = text.split_at(at);
        OPERATORS.iter().find_map(|(sign, operator, _)| rest.strip_prefix(sign).map(|value| (field, *operator, value)))
    }

    fn sign(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator, _)| *operator == self).map_or("=", |(sign, ..)| sign)
    }

    /// What it says of two numbers.
    #[must_use]
    pub fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Mask => left & right != 0,
            Self::Test => left & right == right,
        }
    }
}

/// One comparison of a rule that is not its watch, access, architecture or key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Comparison {
    /// The field.
    pub field: String,
    /// How it is compared.
    pub operator: Operator,
    /// The value in its one spelling, or the other field.
    pub value: String,
    /// Whether the value is another field of the same event (`-C`).
    pub between_fields: bool,
}

impl Comparison {
    /// Without the option letter, such as `auid!=unset`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}{}", self.field, self.operator.sign(), self.value)
    }
}

/// With its option letter, as auditctl takes it.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = if self.between_fields { 'C' } else { 'F' };
        write!(f, "-{letter} {}{}{}", self.field, self.operator.sign(), Escaped(&self.value))
    }
}

/// How the values of a field are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Number,
    Hex,
    User,
    Group,
    /// The login user or session: all ones mean that nobody logged in.
    Login,
    Exit,
    Message,
    FileType,
    FileSystem,
    Arch,
    Path,
    Dir,
    Access,
    Key,
}

pub(super) fn by_name(name: &str) -> Option<(&'static str, Kind)> {
    let (_, number, kind) = FIELDS.iter().find(|(field, ..)| *field == name)?;
    by_number(*number).map(|(name, _)| (name, *kind))
}

pub(super) fn by_number(number: u32) -> Option<(&'static str, Kind)> {
    FIELDS.iter().find(|(_, known, _)| *known == number).map(|(name, _, kind)| (*name, *kind))
}

/// The comparison of two fields with the kernel's number for it.
pub(super) fn pair_by_number(number: u32) -> Option<(&'static str, &'static str)> {
    PAIRS.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
}

/// The comparison of two fields, in whichever order they are named.
pub(super) fn pair_by_names(left: &str, right: &str) -> Option<(&'static str, &'static str)> {
    let canonical = |name: &'_ str| by_name(name).map(|(name, _)| name);
    let (left, right) = (canonical(left)?, canonical(right)?);
    PAIRS.into_iter().find(|pair| *pair == (left, right) || *pair == (right, left))
}

fn word(table: &[(&str, u32)], number: u32) -> String {
    table.iter().find(|(_, known)| *known == number).map_or_else(|| number.to_string(), |(word, _)| (*word).to_owned())
}

/// The one spelling of a value in the kernel's form.
pub(super) fn value_of_number(kind: Kind, number: u32) -> String {
    match kind {
        Kind::Login if number == u32::MAX => "unset".to_owned(),
        Kind::Exit => exit_word(i64::from(number.cast_signed())),
        Kind::Message => word(MESSAGES, number),
        Kind::FileType => word(&FILE_TYPES, number),
        Kind::FileSystem => word(&FILE_SYSTEMS, number),
        Kind::Hex => format!("{number:#x}"),
        _ => number.to_string(),
    }
}

/// The one spelling of a value in the form of auditctl.
pub(super) fn value_of_text(kind: Kind, text: &str, names: &Names<'_>) -> Result<String, String> {
    if kind == Kind::Text {
        return Ok(text.to_owned());
    }
    if let Some(number) = number(text) {
        return Ok(value_of_number(kind, number));
    }
    let known = |table: &[(&str, u32)]| table.iter().find(|(word, _)| *word == text).map(|(word, _)| (*word).to_owned());
    let value = match kind {
        Kind::Login if text == "unset" => Some("unset".to_owned()),
        Kind::User | Kind::Login if text == "unset" => Some(u32::MAX.to_string()),
        Kind::User | Kind::Login => Some((names.user)(text).map_or_else(|| text.to_owned(), |number| number.to_string())),
        Kind::Group => Some((names.group)(text).map_or_else(|| text.to_owned(), |number| number.to_string())),
        Kind::Exit => exit_number(text).map(exit_word),
        Kind::Message => Some(text.to_ascii_uppercase()).filter(|word| word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')),
        Kind::FileType => known(&FILE_TYPES),
        Kind::FileSystem => known(&FILE_SYSTEMS),
        _ => None,
    };
    value.ok_or_else(|| format!("`{text}` is no value for this field"))
}

/// The number of a type of record, where its spelling is known.
pub(super) fn message_number(text: &str) -> Option<u32> {
    number(text).or_else(|| MESSAGES.iter().find(|(word, _)| *word == text).map(|(_, number)| *number))
}

/// A number as the C library reads it: decimal, `0x` hexadecimal, `0` octal, with or without a minus.
fn number(text: &str) -> Option<u32> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16).ok()?,
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8).ok()?,
        None => digits.parse().ok()?,
    };
    let value = if negative { -magnitude } else { magnitude };
    u32::try_from(value).ok().or_else(|| i32::try_from(value).ok().map(i32::cast_unsigned))
}

/// Error numbers are shown by name behind the minus that system calls return them with.
fn exit_word(number: i64) -> String {
    match i32::try_from(-number).ok().filter(|positive| *positive > 0).map(nix::errno::Errno::from_raw) {
        Some(error) if error != nix::errno::Errno::UnknownErrno => format!("-{error:?}"),
        _ => number.to_string(),
    }
}

fn exit_number(text: &str) -> Option<i64> {
    let (sign, name) = text.strip_prefix('-').map_or((1, text), |name| (-1, name));
    (1..=133).find(|number| format!("{:?}", nix::errno::Errno::from_raw(*number)) == name).map(|number| sign * i64::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: Kind, text: &str) -> String {
        value_of_text(kind, text, &Names::of(Machine::X86_64)).unwrap()
    }

    #[test]
    fn one_spelling_per_value() {
        for unset in ["unset", "-1", "4294967295", "0xffffffff"] {
            assert_eq!(value(Kind::Login, unset), "unset");
        }
        for refused in ["-EACCES", "-13"] {
            assert_eq!(value(Kind::Exit, refused), "-EACCES");
        }
        assert_eq!(value(Kind::Exit, "EACCES"), "13", "a positive return value is no error");
        assert_eq!(value(Kind::Hex, "64"), value(Kind::Hex, "0x40"));
        assert_eq!(value(Kind::User, "root"), "0");
        assert_eq!(value(Kind::User, "alice"), "alice");
        assert_eq!(value(Kind::FileType, "dir"), value_of_number(Kind::FileType, 16384));
        assert_eq!(value(Kind::Message, "1307"), "CWD");
        assert!(value_of_text(Kind::Number, "yes", &Names::of(Machine::X86_64)).is_err());
    }

    #[test]
    fn operators_are_split_at_the_first_sign() {
        assert_eq!(Operator::split("auid>=1000"), Some(("auid", Operator::GreaterOrEqual, "1000")));
        assert_eq!(Operator::split("a0&=0x3"), Some(("a0", Operator::Test, "0x3")));
        assert_eq!(Operator::split("key=a!=b"), Some(("key", Operator::Equal, "a!=b")));
        assert_eq!(Operator::split("auid"), None);
        assert_eq!(Operator::of_flags(0x4800_0000), Some(Operator::Test));
        assert_eq!(Operator::of_flags(0), None);
    }

    #[test]
    fn comparisons_of_fields_have_one_order() {
        assert_eq!(pair_by_names("euid", "uid"), Some(("uid", "euid")));
        assert_eq!(pair_by_number(11), Some(("uid", "euid")));
        assert_eq!(pair_by_names("uid", "gid"), None);
        assert_eq!(pair_by_number(0), None);
    }
}
