use super::*;
use crate::parse::audit_rules::{Names, text};

/// What a kernel 6.18 on x86-64 answered after rules were loaded with auditctl 3.0.9; `XX*N` is a byte N times.
const LOADED: &str = include_str!("loaded.hex");

/// The answer of a real kernel, as bytes.
pub(crate) fn loaded() -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in LOADED.split_whitespace() {
        let (digits, times) = word.split_once('*').map_or((word, 1), |(digits, times)| (digits, times.parse().unwrap()));
        for _ in 0..times {
            bytes.extend(digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()));
        }
    }
    bytes
}

/// A netlink message.
pub(crate) fn message(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut message = (HEADER as u32 + body.len() as u32).to_le_bytes().to_vec();
    message.extend(kind.to_le_bytes());
    message.resize(HEADER, 0);
    message.extend(body);
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

/// What a kernel would answer after watches were loaded: rules with a watch, accesses, an architecture, login users and keys.
pub(crate) fn listing(rules: &str) -> Vec<u8> {
    let file = "rules".into();
    let read = text::read(text::lines(&file, rules), &Names::of(Machine::X86_64));
    assert!(read.refusal.is_none(), "{:?}", read.refusal);
    let mut messages: Vec<u8> = read.rules.iter().flat_map(|placed| message(LIST_RULES, &encoded(&placed.rule))).collect();
    messages.extend(message(DONE, &[]));
    messages
}

fn encoded(rule: &Rule) -> Vec<u8> {
    let mut strings = String::new();
    let mut fields: Vec<(u32, u32, u32)> = Vec::new();
    let equal = 0x4000_0000;
    if let Some(arch) = &rule.arch {
        fields.push((11, if *arch == Arch::B64 { 0xc000_003e } else { 0x4000_0003 }, equal));
    }
    if let Some(watch) = &rule.watch {
        fields.push((if watch.scope == Scope::Tree { 107 } else { 105 }, watch.path.len() as u32, equal));
        strings.push_str(&watch.path);
    }
    if let Some(access) = rule.access {
        fields.push((106, u32::from(access.0), equal));
    }
    for comparison in &rule.comparisons {
        assert_eq!(comparison.field, "auid");
        fields.push(match comparison.value.as_str() {
            "unset" => (9, u32::MAX, 0x3000_0000),
            value => (9, value.parse().unwrap(), 0x6000_0000),
        });
    }
    if !rule.keys.is_empty() {
        let keys = rule.keys.join("\u{1}");
        fields.push((210, keys.len() as u32, equal));
        strings.push_str(&keys);
    }
    let list = if rule.list == Filter::Task { 1 } else { 4 };
    let mut words = vec![list, if rule.action == Action::Never { 0 } else { 2 }, fields.len() as u32];
    words.extend([u32::MAX; WORDS]);
    fields.resize(WORDS, (0, 0, 0));
    words.extend(fields.iter().map(|field| field.0));
    words.extend(fields.iter().map(|field| field.1));
    words.extend(fields.iter().map(|field| field.2));
    words.push(strings.len() as u32);
    words.into_iter().flat_map(u32::to_le_bytes).chain(strings.into_bytes()).collect()
}

#[test]
fn the_answer_of_a_kernel_is_read() {
    let rules: Vec<String> = read(&loaded(), Machine::X86_64).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        rules,
        [
            "-a never,user -F subj_type=crond_t",
            "-a always,exit -F arch=b64 -S all -F a0&=0x3 -F exit=-EACCES -F key=plimfix",
            "-a always,exit -F dir=/etc/docker -F perm=wa -F key=plimfix",
            "-a always,exit -F path=/etc/default/docker -F perm=rwxa -F key=plimfix",
            "-a always,exit -F path=/etc/docker/daemon.json -F perm=wa -F key=plimfix",
            "-a always,exit -F path=/usr/bin/dockerd -F perm=wa -F auid!=unset -F auid>=1000 -F key=plimfix",
            "-a always,exit -F arch=b64 -S openat,rename,unlink -F dir=/run/containerd -F success=1 -F key=plimfix -F key=second",
            "-a always,exit -F arch=b32 -S adjtimex,settimeofday -F key=plimfix",
            "-a always,exit -F arch=b64 -S execve -F euid=0 -C uid!=euid -F key=plimfix",
            "-a never,exit -F path=/etc/docker/key.json -F key=plimfix",
            "-a always,exit -S openat -F exe=/usr/sbin/runc -F filetype=dir -F key=plimfix",
            "-a always,exit -F dir=/var/lib/ -F key=plimfix",
            "-a always,exit -F arch=b64 -F path=/etc/shadow -F key=plimfix",
            "-a always,exit -S execve -F saddr_fam=10 -F sessionid!=unset -F key=plimfix",
            "-a always,exit -F path=/run/plim-not-there -F perm=wa -F key=plimfix",
            "-a always,exclude -F msgtype=CWD",
            "-a never,filesystem -F fstype=tracefs",
        ]
    );
}

#[test]
fn what_was_loaded_equals_what_was_written() {
    let written = "-a always,exit -F arch=b32 -S settimeofday -S adjtimex -k plimfix\n\
                   -a exit,always -F path=/usr/bin/dockerd -F auid!=4294967295 -F auid>=1000 -F perm=aw -k plimfix\n\
                   -a exit,always -S 59 -F saddr_fam=10 -F sessionid!=-1 -k plimfix";
    let file = "rules".into();
    let loaded = read(&loaded(), Machine::X86_64).unwrap();
    for placed in text::read(text::lines(&file, written), &Names::of(Machine::X86_64)).rules {
        assert!(loaded.contains(&placed.rule), "{}", placed.rule);
    }
}

#[test]
fn every_cut_is_noticed() {
    let whole = loaded();
    for end in (0..whole.len()).step_by(7) {
        assert!(read(&whole[..end], Machine::X86_64).is_err(), "cut at {end}");
    }
    assert_eq!(read(&message(DONE, &[]), Machine::X86_64).unwrap(), []);
}

#[test]
fn lengths_that_lie_are_refused() {
    let body = encoded(&read(&loaded(), Machine::X86_64).unwrap()[2]);
    let with = |word: usize, value: u32| {
        let mut body = body.clone();
        body[word * 4..word * 4 + 4].copy_from_slice(&value.to_le_bytes());
        [message(LIST_RULES, &body), message(DONE, &[])].concat()
    };
    for (word, value) in
        [(2, 65), (2, u32::MAX), (3 + 2 * WORDS, 4096), (3 + 2 * WORDS, u32::MAX), (3 + 4 * WORDS, u32::MAX), (3 + 4 * WORDS, 3), (0, 99)]
    {
        assert!(matches!(read(&with(word, value), Machine::X86_64), Err(Reason::Malformed(_))), "word {word} = {value}");
    }
    let mut endless = message(LIST_RULES, &body);
    endless[0] = 0;
    endless[1] = 0;
    assert!(read(&endless, Machine::X86_64).is_err());
}

#[test]
fn an_error_of_the_kernel_is_its_reason() {
    let error = |number: i32| [message(ERROR, &number.to_le_bytes()), message(DONE, &[])].concat();
    assert_eq!(read(&error(0), Machine::X86_64).unwrap(), []);
    assert_eq!(read(&error(-1), Machine::X86_64), Err(Reason::Denied));
    assert_eq!(read(&error(-111), Machine::X86_64), Err(Reason::Unreachable));
}

#[test]
fn fields_of_newer_kernels_restrict() {
    let mut body = encoded(&read(&loaded(), Machine::X86_64).unwrap()[2]);
    body[2 * 4] = 4;
    body[(3 + WORDS + 3) * 4] = 99;
    body[(3 + 3 * WORDS + 3) * 4 + 3] = 0x40;
    let rules = read(&[message(LIST_RULES, &body), message(DONE, &[])].concat(), Machine::X86_64).unwrap();
    assert_eq!(rules[0].comparisons[0].text(), "field99=0");
}

/// What a kernel would answer to `AUDIT_GET`: a daemon listens, losses are logged, 8192 records may wait.
pub(crate) fn status_message(enabled: u32, lost: u32) -> Vec<u8> {
    let words = [0, enabled, 1, 700, 0, 8192, lost, 3, 0x7f, 15000, 0];
    message(GET, &words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect::<Vec<_>>())
}

#[test]
fn the_status_is_found_beside_rules_and_without_it_there_is_none() {
    let told = [status_message(2, 9), listing("-w /etc/x -p wa")].concat();
    let status = status(&told).unwrap();
    assert_eq!((status.enabled, status.lost, status.backlog_limit, status.pid, status.failure), (2, 9, 8192, 700, 1));
    assert_eq!(read(&told, Machine::X86_64).unwrap().len(), 1);
    assert_eq!(super::status(&listing("-w /etc/x -p wa")), None);
    let alone = status_message(1, 0);
    for at in 0..alone.len() {
        assert!(super::status(&alone[..at]).is_none(), "{at}");
    }
}
