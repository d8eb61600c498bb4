use super::*;
use crate::fact::Reason;
use crate::host::memory::Memory;
use crate::host::{FileKind, ProcessLinks};

const PROGRAM: &[u8] = b"OpenSSH_9.2p1\0chacha20-poly1305@openssh.com,aes128-ctr,3des-cbc\0umac-64@openssh.com,hmac-sha2-256,hmac-sha1\0\
    curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha1\0/etc/ssh/ssh_host_rsa_key\0";

/// A program that has every option there is.
fn program() -> Vec<u8> {
    let mut bytes = PROGRAM.to_vec();
    for spec in OPTIONS {
        bytes.extend(spec.name.to_ascii_lowercase().bytes().chain([0]));
        bytes.extend(spec.aliases.iter().flat_map(|alias| alias.bytes().chain([0])));
    }
    bytes
}

fn host(config: &str) -> Memory {
    Memory::new().file("/usr/sbin/sshd", program()).file("/etc/ssh/sshd_config", config)
}

fn options(host: &Memory, name: &str) -> Vec<SshdOption> {
    Sshd::collect(&Context::new(host), &Selector::Keys(vec![name.to_owned()])).unwrap()
}

/// `value` outside of blocks, then `criteria: value` of each block.
fn said(host: &Memory, name: &str) -> Vec<String> {
    options(host, name)
        .into_iter()
        .map(|row| {
            let value = match &row.value {
                Fact::Known(value, _) => value.0.raw().to_owned(),
                Fact::Absent(_) => "-".to_owned(),
                Fact::Unknown(gap) => format!("unknown {gap}"),
            };
            row.criteria.known().map_or(value.clone(), |criteria| format!("{}: {value}", criteria.raw()))
        })
        .collect()
}

#[test]
fn the_first_value_wins_and_includes_stand_where_they_are() {
    let host = host("Include sshd_config.d/*.conf\nPermitRootLogin yes\nX11Forwarding no\nx11forwarding yes\n")
        .file("/etc/ssh/sshd_config.d/50-b.conf", "PermitRootLogin no\n")
        .file("/etc/ssh/sshd_config.d/10-a.conf", "\nPERMITROOTLOGIN \"forced-commands-only\"\n")
        .file("/etc/ssh/sshd_config.d/.hidden.conf", "PermitRootLogin yes\n")
        .file("/etc/ssh/sshd_config.d/99.conf~", "PermitRootLogin yes\n");
    let root = options(&host, "PermitRootLogin").remove(0);
    assert_eq!(root.value, Fact::Known("forced-commands-only".into(), Origin::line("/etc/ssh/sshd_config.d/10-a.conf", 2)));
    assert_eq!(root.source.known().unwrap().raw(), "file");
    assert_eq!(said(&host, "X11Forwarding"), ["no"]);
}

#[test]
fn what_nothing_sets_is_the_default() {
    let host = host("");
    let row = options(&host, "MaxAuthTries").remove(0);
    assert_eq!((row.value.clone(), row.source.known().unwrap().raw()), (Fact::Known("6".into(), Origin::default_of("sshd")), "default"));
    assert_eq!(said(&host, "AllowUsers"), ["-"]);
    assert_eq!(said(&host, "Ciphers"), ["chacha20-poly1305@openssh.com,aes128-ctr,3des-cbc"]);
    assert_eq!(said(&host, "Banner"), ["none"]);
    let startups = options(&host, "MaxStartups").remove(0);
    assert_eq!((startups.start.known(), startups.rate_percent.known(), startups.full.known()), (Some(&10), Some(&30), Some(&100)));
    assert!(matches!(options(&host, "MaxAuthTries").remove(0).start, Fact::Absent(_)));
    assert!(matches!(options(&host, "IPQoS").remove(0).value, Fact::Unknown(_)));
}

#[test]
fn lists_of_algorithms_change_the_compiled_one() {
    assert_eq!(said(&host("Ciphers -*-cbc\n"), "Ciphers"), ["chacha20-poly1305@openssh.com,aes128-ctr"]);
    assert_eq!(said(&host("MACs ^hmac-sha1\n"), "MACs"), ["hmac-sha1,umac-64@openssh.com,hmac-sha2-256"]);
    assert_eq!(said(&host("KexAlgorithms +x\n"), "KexAlgorithms").len(), 1);
    let bare = Memory::new().node("/usr/sbin/sshd", FileKind::File, 0o755).file("/etc/ssh/sshd_config", "MACs -hmac-sha1\nCiphers a,b\n");
    assert!(said(&bare, "MACs")[0].starts_with("unknown"));
    assert!(said(&bare, "KexAlgorithms")[0].starts_with("unknown"));
    assert_eq!(said(&bare, "Ciphers"), ["a,b"]);
}

#[test]
fn lists_of_names_add_up() {
    let host = host("AllowUsers a b\nAllowUsers \"c\" # d\nPort 22\nPort 2222\nSetEnv A=1 B=2\nSetEnv C=3\nMatch User x\nAcceptEnv X\nAcceptEnv Y\n");
    assert_eq!(said(&host, "AllowUsers"), ["a b c"]);
    assert_eq!(options(&host, "AllowUsers").remove(0).values.known().map(Vec::len), Some(3));
    assert_eq!(said(&host, "Port"), ["22 2222"]);
    assert_eq!(said(&host, "SetEnv"), ["A=1 B=2"]);
    assert_eq!(said(&host, "AcceptEnv"), ["-", "User x: X Y"]);
}

#[test]
fn each_block_that_changes_an_option_is_a_record() {
    let config = "PermitRootLogin no\nMatch user root address=10.0.0.0/8\n PermitRootLogin yes\nMatch Group admins\n X11Forwarding yes\n\
        Match User root Address 10.0.0.0/8\n PermitRootLogin forced-commands-only\n";
    let host = host(config);
    assert_eq!(said(&host, "PermitRootLogin"), ["no", "User root Address 10.0.0.0/8: yes"]);
    assert_eq!(said(&host, "X11Forwarding"), ["no", "Group admins: yes"]);
    let block = options(&host, "PermitRootLogin").remove(1);
    assert_eq!(block.value.origin(), &Origin::line("/etc/ssh/sshd_config", 3));
    assert_eq!(block.name.known().unwrap().raw(), "PermitRootLogin (Match User root Address 10.0.0.0/8)");
}

#[test]
fn a_block_ends_with_its_file_and_holds_within_the_one_around_it() {
    let host = host("Include a.conf\nMaxSessions 3\nMatch User u\nInclude b.conf\nMaxSessions 7\n")
        .file("/etc/ssh/a.conf", "Match Host h\nMaxSessions 5\n")
        .file("/etc/ssh/b.conf", "Banner /b\nMatch Group g\nMaxSessions 6\n");
    assert_eq!(said(&host, "MaxSessions"), ["3", "Host h: 5", "User u: 7", "User u Group g: 6"]);
    assert_eq!(said(&host, "Banner"), ["none", "User u: /b"]);
}

#[test]
fn a_block_for_all_counts_for_whoever_comes_to_it() {
    let host = host("PermitRootLogin yes\nMatch User a\nPermitRootLogin no\nMatch all\nPermitRootLogin prohibit-password\nMatch User b\nPermitRootLogin yes\n");
    assert_eq!(said(&host, "PermitRootLogin"), ["prohibit-password", "User a: no"]);
    let outside = options(&host, "PermitRootLogin").remove(0);
    assert!(matches!(outside.criteria, Fact::Absent(_)));
}

#[test]
fn what_sshd_refuses_leaves_everything_unknown() {
    for bad in [
        "PermitRootLogn no",
        "MaxAuthTries",
        "MaxAuthTries x",
        "Banner \"x",
        "Match",
        "Match User",
        "Match Colour red",
        "Match all User x",
        "Match User x\nUsePAM yes",
        "Include",
        "Include loop.conf",
        "X11Forwarding yes no",
        "Port\0 22",
        "AuthorizedKeysCommand /x",
    ] {
        let host = host(&format!("PermitRootLogin no\n{bad}\n")).file("/etc/ssh/loop.conf", "Include loop.conf\n");
        let said = said(&host, "PermitRootLogin");
        assert!(said.len() == 1 && said[0].starts_with("unknown not understood: sshd refuses it"), "{bad}: {said:?}");
    }
    let missing = Memory::new().file("/usr/sbin/sshd", program());
    assert!(said(&missing, "UsePAM")[0].starts_with("unknown"));
}

#[test]
fn old_words_are_passed_over_and_unknown_ones_are_not() {
    let config = "HPNDisabled yes\nProtocol 2\nUsePAM yes\n";
    assert_eq!(said(&host(config), "UsePAM"), ["yes"]);
    let older: Vec<u8> = program().split(|b| *b == 0).filter(|word| *word != b"usepam").collect::<Vec<_>>().join(&0);
    assert!(said(&host(config).file("/usr/sbin/sshd", older), "X11Forwarding")[0].starts_with("unknown"));
}

#[test]
fn an_unreadable_include_may_say_anything() {
    let host = host("PermitRootLogin no\nInclude /etc/ssh/x.conf\n").file("/etc/ssh/x.conf", "").gap("/etc/ssh/x.conf", Reason::Denied);
    assert!(said(&host, "PermitRootLogin")[0].starts_with("unknown permission denied"));
    let (files, missing) = files(&Context::new(&host)).unwrap();
    assert_eq!((files.len(), missing.is_some()), (1, true));
}

fn running(host: Memory, shown: &str) -> Memory {
    let status = "Name:\tsshd\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n";
    let first = status.replace("sshd", "init");
    host.file("/proc/1/status", first)
        .file("/proc/1/cgroup", "0::/init.scope\n")
        .file("/proc/1/cmdline", "init\0")
        .file("/proc/9/status", status)
        .file("/proc/9/cgroup", "0::/system.slice/ssh.service\n")
        .file("/proc/9/cmdline", shown)
        .process(9, ProcessLinks { exe: Some("/usr/sbin/sshd".into()), namespaces: Vec::new() })
}

#[test]
fn the_command_line_of_the_daemon_comes_first() {
    let host = running(host("PermitRootLogin no\nPort 22\n"), "sshd: /usr/sbin/sshd -D -o PermitRootLogin=yes -p 2222 [listener] 0 of 10-100 startups");
    let root = options(&host, "PermitRootLogin").remove(0);
    assert_eq!((root.value, root.source.known().unwrap().raw()), (Fact::Known("yes".into(), Origin::kernel("/proc/9/cmdline")), "flag"));
    assert_eq!(said(&host, "Port"), ["2222"]);
    let other = running(super::tests::host("PermitRootLogin no\n"), "/usr/sbin/sshd\0-f\0/etc/ssh/other\0").file("/etc/ssh/other", "PermitRootLogin yes\n");
    assert_eq!(said(&other, "PermitRootLogin"), ["yes"]);
    let bad = running(super::tests::host(""), "/usr/sbin/sshd\0-o\0Include=x\0");
    assert!(said(&bad, "PermitRootLogin")[0].starts_with("unknown"));
}

#[test]
fn without_a_process_the_unit_says_how_it_starts() {
    let unit = "[Service]\nEnvironmentFile=-/etc/default/ssh\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n";
    let host = host("").file("/usr/lib/systemd/system/ssh.service", unit).file("/etc/default/ssh", "SSHD_OPTS='-oMaxAuthTries=9'\n");
    let tries = options(&host, "MaxAuthTries").remove(0);
    assert_eq!(tries.value, Fact::Known("9".into(), Origin::line("/usr/lib/systemd/system/ssh.service", 3)));
    let wrapped = host.file("/etc/systemd/system/ssh.service", "[Service]\nExecStart=/usr/bin/wrap sshd\n");
    assert!(said(&wrapped, "MaxAuthTries")[0].starts_with("unknown"));
}

#[test]
fn without_a_server_there_is_nothing_to_say() {
    assert!(options(&Memory::new().file("/etc/ssh/sshd_config", "PermitRootLogin yes\n"), "PermitRootLogin").is_empty());
    let denied = Memory::new().file("/usr/sbin/sshd", "").gap("/usr/sbin", Reason::Denied);
    assert!(Sshd::collect(&Context::new(&denied), &Selector::All).is_err());
}

#[test]
fn truncated_anywhere_nothing_panics() {
    let config = "Include *.conf\nMatch User \"a b\" address=1\n PermitRootLogin yes\nMatch all\r\nCiphers +x\nAllowUsers a\nMaxStartups 1:2:3\n";
    for end in 0..=config.len() {
        let host = host(&config[..end]);
        assert!(!Sshd::collect(&Context::new(&host), &Selector::All).unwrap().is_empty());
    }
}
