use proptest::prelude::*;

use super::*;
use crate::fact::{Gap, Origin, Reason, Scheme, Version};

fn text(text: &str) -> Operand {
    Operand::Literal(Literal::Text(text.into()))
}

fn is(what: &str) -> Matcher {
    Matcher::Equals(text(what))
}

fn number(number: i64) -> Operand {
    Operand::Literal(Literal::Integer(number))
}

fn flag(flag: bool) -> Matcher {
    Matcher::Equals(Operand::Literal(Literal::Flag(flag)))
}

fn mode(octal: &str) -> Operand {
    Operand::Literal(Literal::Mode(Mode::parse(octal).unwrap()))
}

fn param(name: &str) -> Operand {
    Operand::Param(name.into())
}

fn not(inner: Matcher) -> Matcher {
    Matcher::Not(Box::new(inner))
}

fn matches(pattern: &str) -> Matcher {
    Matcher::Matches(pattern.into(), regex::Regex::new(&format!(r"\A(?:{pattern})\z")).unwrap())
}

fn only(inner: Matcher) -> Matcher {
    Matcher::Only(Box::new(inner))
}

fn contains(inner: Matcher) -> Matcher {
    Matcher::Contains(Box::new(inner))
}

fn params() -> Params {
    let groups = ["root", "docker"].map(|group| Literal::Text(group.into())).to_vec();
    Params::default().with("groups", groups).with("nobody", Vec::new()).with("most", vec![Literal::Text("0640".into())])
}

fn known(value: Value) -> Fact<Value> {
    Fact::Known(value, Origin::Derived)
}

fn setting(text: &str) -> Value {
    Value::Setting(text.into())
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| Text::from(*item)).collect())
}

fn octal(octal: &str) -> Value {
    Value::Mode(Mode::parse(octal).unwrap())
}

fn unknown() -> Fact<Value> {
    Fact::Unknown(Gap::new(Origin::Derived, Reason::Denied))
}

#[test]
fn values_are_read_as_the_claim_asks() {
    let at_most = |most| Matcher::Max(number(most));
    let version = |v: &str| Value::Version(Version::new(v, Scheme::Upstream));
    for (matcher, value, holds) in [
        (flag(false), setting("no"), true),
        (flag(false), setting("Off"), true),
        (flag(false), setting("0"), true),
        (flag(false), setting("maybe"), false),
        (flag(true), setting(" yes "), true),
        (Matcher::Equals(number(2)), setting("2"), true),
        (Matcher::Equals(number(2)), setting("02"), true),
        (Matcher::Equals(number(2)), setting("two"), false),
        (is("2"), setting("02"), false),
        (at_most(4), setting("3"), true),
        (at_most(4), setting("unlimited"), false),
        (at_most(4), Value::Integer(5), false),
        (Matcher::Min(number(1)), setting("-1"), false),
        (Matcher::Max(mode("0640")), octal("0600"), true),
        (Matcher::Max(mode("0640")), octal("0604"), false),
        (Matcher::Max(mode("0640")), octal("4640"), false),
        (Matcher::Max(param("most")), octal("0644"), false),
        (Matcher::Min(mode("1000")), octal("1777"), true),
        (Matcher::Min(text("28.0.4")), version("28.0.10"), true),
        (Matcher::Min(text("28.0.4")), version("20.10.24+dfsg1"), false),
        (is("28.0.4"), version("28.0.4+azure"), true),
        (matches("a|ab"), setting("ab"), true),
        (matches("b"), setting("abc"), false),
        (matches("a"), setting("a\n"), false),
        (Matcher::StartsWith(text("/run/")), setting("/run/x"), true),
        (Matcher::EndsWith(text(".pem")), setting("x.pem2"), false),
        (contains(is("nodev")), list(&["ro", "nodev"]), true),
        (contains(is("node")), list(&["ro", "nodev"]), false),
        (contains(is("node")), setting("ro,nodev"), true),
        (contains(matches("n.*")), list(&["ro", "nodev"]), true),
        (not(contains(is("x"))), list(&[]), true),
        (only(is("a")), list(&["a", "a"]), true),
        (only(is("a")), list(&["a", "b"]), false),
        (only(is("a")), list(&[]), true),
        (only(Matcher::Equals(param("groups"))), list(&["docker"]), true),
        (only(Matcher::Equals(param("groups"))), list(&["docker", "wheel"]), false),
        (only(Matcher::Equals(param("nobody"))), list(&["docker"]), false),
        (Matcher::Equals(param("groups")), setting("docker"), true),
        (Matcher::Equals(param("nobody")), setting("docker"), false),
        (not(Matcher::Equals(param("groups"))), setting("docker"), false),
        (Matcher::Empty(true), list(&[]), true),
        (Matcher::Empty(false), list(&[]), false),
        (Matcher::Count(Box::new(Matcher::Min(number(2)))), list(&["a"]), false),
    ] {
        let words = matcher.expected(&params()).to_string();
        assert_eq!(matcher.judge(&known(value.clone()), &params()), holds.into(), "{value} is {words}");
    }
}

#[test]
fn absent_matches_only_what_says_so() {
    let absent = Fact::Absent(Origin::Derived);
    for matcher in [is("a"), flag(false), Matcher::Max(number(1)), Matcher::Empty(true), only(is("a")), Matcher::Present(true)] {
        assert_eq!(matcher.judge(&absent, &params()), Truth::False);
        assert_eq!(not(matcher).judge(&absent, &params()), Truth::True);
    }
    assert_eq!(Matcher::Present(false).judge(&absent, &params()), Truth::True);
    assert_eq!(Matcher::Any(vec![is("a"), Matcher::Present(false)]).judge(&absent, &params()), Truth::True);
    assert_eq!(not(Matcher::Present(false)).judge(&absent, &params()), Truth::False);
    assert_eq!(Matcher::Equals(param("undecided")).judge(&absent, &params()), Truth::False);
}

#[test]
fn expectations_read_as_sentences() {
    let params = params();
    let told = |matcher: Matcher| matcher.expected(&params).to_string();
    assert_eq!(told(flag(false)), "false");
    assert_eq!(told(Matcher::Max(mode("0660"))), "no more than 0660");
    assert_eq!(told(Matcher::Any(vec![is("root"), is("docker")])), "root or docker");
    assert_eq!(told(Matcher::Equals(param("groups"))), "root or docker");
    assert_eq!(told(Matcher::Equals(param("nobody"))), "nothing at all");
    assert_eq!(told(Matcher::Min(number(2))), "at least 2");
    assert_eq!(told(Matcher::All(vec![Matcher::Min(number(1)), Matcher::Max(number(4))])), "at least 1 and no more than 4");
    assert_eq!(told(Matcher::Present(false)), "not present");
    assert_eq!(told(Matcher::Any(vec![Matcher::Equals(number(2)), Matcher::Present(false)])), "2 or not present");
    assert_eq!(told(only(Matcher::Any(vec![is("a"), is("b")]))), "only of [a, b]");
    assert_eq!(told(only(Matcher::StartsWith(text("/etc/")))), "only elements starting with /etc/");
    assert_eq!(told(Matcher::Empty(true)), "empty");
    assert_eq!(told(not(Matcher::Empty(true))), "not empty");
    assert_eq!(told(not(Matcher::Any(vec![is(""), is("0"), is("root")]))), "not \"\" and not 0 and not root");
    assert_eq!(told(not(Matcher::Equals(param("groups")))), "not (root or docker)");
    assert_eq!(told(contains(is("nodev"))), "containing nodev");
    assert_eq!(told(Matcher::Count(Box::new(Matcher::Min(number(2))))), "at least 2 of them");
    assert_eq!(told(matches("[a-z]+")), "matching [a-z]+");
    assert_eq!(told(is("a\u{1b}[2J")), "a\\u{1b}[2J");
}

fn any_matcher() -> impl Strategy<Value = Matcher> {
    let operand = prop_oneof![
        "[ab]{0,2}".prop_map(|t| text(&t)),
        (-2_i64..3).prop_map(number),
        any::<bool>().prop_map(|f| Operand::Literal(Literal::Flag(f))),
        Just(param("groups")),
        Just(param("nobody")),
        Just(param("undecided")),
    ];
    let leaf = prop_oneof![
        operand.clone().prop_map(Matcher::Equals),
        operand.clone().prop_map(Matcher::Min),
        operand.clone().prop_map(Matcher::Max),
        operand.clone().prop_map(Matcher::StartsWith),
        operand.prop_map(Matcher::EndsWith),
        any::<bool>().prop_map(Matcher::Empty),
        any::<bool>().prop_map(Matcher::Present),
        Just(matches("a.?")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(not),
            inner.clone().prop_map(contains),
            inner.clone().prop_map(only),
            inner.clone().prop_map(|m| Matcher::Count(Box::new(m))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Matcher::All),
            prop::collection::vec(inner, 1..4).prop_map(Matcher::Any),
        ]
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        (-2_i64..3).prop_map(Value::Integer),
        "[ab01]{0,2}".prop_map(|t| Value::Text(t.into())),
        "[ab01]{0,2}".prop_map(|t| Value::Setting(t.into())),
        (0_u32..0o10000).prop_map(|bits| Value::Mode(Mode::from_bits(bits))),
        prop::collection::vec("[ab]{0,2}", 0..3).prop_map(|items| Value::List(items.into_iter().map(Text::from).collect())),
    ]
}

fn any_fact() -> impl Strategy<Value = Fact<Value>> {
    prop_oneof![4 => any_value().prop_map(known), 1 => Just(Fact::Absent(Origin::Derived)), 1 => Just(unknown())]
}

proptest! {
    #[test]
    fn what_could_not_be_seen_is_never_judged(matcher in any_matcher()) {
        prop_assert_eq!(matcher.judge(&unknown(), &params()), Truth::Unknown);
    }

    #[test]
    fn negation_and_de_morgan(a in any_matcher(), b in any_matcher(), fact in any_fact()) {
        let judge = |matcher: Matcher| matcher.judge(&fact, &params());
        prop_assert_eq!(judge(not(a.clone())), !judge(a.clone()));
        let both = Matcher::All(vec![a.clone(), b.clone()]);
        let either = Matcher::Any(vec![not(a.clone()), not(b.clone())]);
        prop_assert_eq!(judge(not(both.clone())), judge(either));
        prop_assert_eq!(judge(both), judge(a).and(judge(b)));
    }

    #[test]
    fn every_expectation_can_be_said(matcher in any_matcher()) {
        prop_assert!(!matcher.expected(&params()).to_string().is_empty());
    }
}
