use super::*;
use crate::fact::Reason;
use crate::host::memory::Memory;

fn row(host: &Memory) -> Rsyslog {
    Rsyslogs::collect(&Context::new(host), &Selector::All).unwrap().remove(0)
}

fn of(text: &str) -> Rsyslog {
    row(&Memory::new().file(PATH, text))
}

fn list(fact: &Fact<List>) -> Vec<&str> {
    fact.known().unwrap().iter().map(Text::raw).collect()
}

fn mode(row: &Rsyslog) -> Option<u16> {
    row.file_mode.known().map(|mode| mode.bits())
}

#[test]
fn the_mode_counts_from_where_it_stands() {
    assert_eq!(mode(&of("*.* /var/log/all\n")), Some(0o644), "the built-in default");
    assert_eq!(mode(&of("$FileCreateMode 0640\n*.* /var/log/all\n")), Some(0o640));
    let late = of("auth.* /var/log/auth\n$FileCreateMode 0640\n*.* -/var/log/all\n");
    assert_eq!(list(&late.files), ["0644 /var/log/auth", "0640 /var/log/all"]);
    assert_eq!((mode(&late), late.file_mode.origin()), (Some(0o644), &Origin::line(PATH, 1)));
    let back = of("$FILECREATEMODE 0640\nauth.* /a\n$FileCreateMode 0666\n*.* /b\n");
    assert_eq!(mode(&back), Some(0o666));
    assert_eq!(mode(&of("# $FileCreateMode 0600\n*.* @h\n")), None);
}

#[test]
fn the_new_action_has_its_modules_mode_and_its_own() {
    let text = "$FileCreateMode 0600\naction(type=\"omfile\" file=\"/a\")\n";
    assert_eq!(mode(&of(text)), Some(0o644), "the old directive is not for it");
    assert_eq!(mode(&of(&format!("{text}module(load=\"builtin:omfile\" fileCreateMode=\"0640\")\n"))), Some(0o640));
    assert_eq!(mode(&of("action(type=\"omfile\" FileCreateMode=\"0600\" file=\"/a\")\n")), Some(0o600));
}

#[test]
fn inputs_in_both_syntaxes() {
    for text in [
        "$ModLoad imtcp\n",
        "$modload imtcp.so\n",
        "$InputTCPServerRun 514\n",
        "module(load=\"imtcp\")\n",
        "input(type=\"imtcp\" port=\"514\")",
        "Module( Load = \"imtcp\" )",
    ] {
        assert_eq!(list(&of(text).network_inputs), ["imtcp"], "{text}");
    }
    let quiet = of("#$ModLoad imudp\n#module(load=\"imtcp\")\n/* input(type=\"imrelp\") */\nmodule(load=\"imuxsock\")\n$ModLoad imklog\n");
    assert!(list(&quiet.network_inputs).is_empty());
    assert_eq!(of("module(load=\"imjournal\" StateFile=\"x\")").reads_journal.known(), Some(&true));
}

#[test]
fn targets_in_both_syntaxes() {
    let plain = of("*.* @@loghost:514\n*.* @udphost\n");
    assert_eq!(list(&plain.remote_targets), ["tcp loghost:514", "udp udphost"]);
    assert_eq!((plain.encrypted.known(), plain.verified.known(), plain.queued.known()), (Some(&false), Some(&false), Some(&false)));
    let old = of("$DefaultNetstreamDriver gtls\n$ActionSendStreamDriverMode 1\n$ActionSendStreamDriverAuthMode x509/name\n$ActionQueueType LinkedList\n$ActionQueueFileName fwd\n*.* @@(o)loghost:6514;fmt\n");
    assert_eq!(list(&old.remote_targets), ["tls tcp loghost:6514"]);
    assert_eq!((old.encrypted.known(), old.verified.known(), old.queued.known()), (Some(&true), Some(&true), Some(&true)));
    let new = of("action(type=\"omfwd\" target=\"h\" port=\"6514\" protocol=\"tcp\" StreamDriver=\"ossl\" StreamDriverMode=\"1\" StreamDriverAuthMode=\"anon\" queue.type=\"LinkedList\" queue.filename=\"q\")");
    assert_eq!((new.encrypted.known(), new.verified.known(), new.queued.known()), (Some(&true), Some(&false), Some(&true)));
    let no_driver = of("action(type=\"omfwd\" target=\"h\" protocol=\"tcp\" StreamDriverMode=\"1\")");
    assert_eq!(no_driver.encrypted.known(), Some(&false));
    let relp = of("action(type=\"omrelp\" target=\"h\" port=\"2514\" tls=\"on\" tls.authMode=\"name\")");
    assert_eq!((relp.encrypted.known(), relp.verified.known()), (Some(&true), Some(&true)));
    let one_of_two = of("action(type=\"omrelp\" target=\"h\" tls=\"on\")\nif $x == 'y' then @@h2\n");
    assert_eq!(one_of_two.encrypted.known(), Some(&false), "one in the clear is enough");
    assert!(matches!(of("*.* /var/log/x\n").encrypted, Fact::Absent(_)));
}

#[test]
fn a_queue_is_for_the_next_action_alone() {
    let row = of("$ActionQueueType LinkedList\n$ActionQueueFileName a\n*.* @@a\n*.* @@b\n");
    assert_eq!((row.queued.known(), row.queued.origin()), (Some(&false), &Origin::line(PATH, 4)));
}

#[test]
fn includes_stand_where_they_are_named() {
    let host = Memory::new()
        .file(PATH, "$IncludeConfig /etc/rsyslog.d/*.conf\n$FileCreateMode 0600\ninclude(file=\"/etc/more.conf\" mode=\"optional\")\ninclude(file=\"/nowhere\")\n")
        .file("/etc/rsyslog.d/20-b.conf", "*.* /b\n")
        .file("/etc/rsyslog.d/10-a.conf", "$FileCreateMode 0640\n")
        .file("/etc/rsyslog.d/.hidden.conf", "*.* @@h\n")
        .file("/etc/rsyslog.d/readme", "*.* @@h\n")
        .file("/etc/more.conf", "*.* /m\n");
    let row = row(&host);
    assert_eq!(list(&row.files), ["0640 /b", "0600 /m"]);
    assert_eq!(list(&row.included), ["/etc/rsyslog.d/10-a.conf", "/etc/rsyslog.d/20-b.conf", "/etc/more.conf"]);
}

#[test]
fn loops_what_is_hidden_and_what_is_cut_leave_everything_open() {
    let looped = of("$IncludeConfig /etc/rsyslog.conf\n");
    assert!(looped.network_inputs.known().is_none());
    let hidden = Memory::new().file(PATH, "$IncludeConfig /etc/rsyslog.d/*.conf\n").file("/etc/rsyslog.d/a.conf", "");
    for at in ["/etc/rsyslog.d", "/etc/rsyslog.d/a.conf"] {
        let host = Memory::new().file(PATH, "$IncludeConfig /etc/rsyslog.d/*.conf\n").file("/etc/rsyslog.d/a.conf", "").gap(at, Reason::Denied);
        assert!(row(&host).network_inputs.known().is_none(), "{at}");
    }
    assert!(row(&hidden).network_inputs.known().is_some());
    assert!(of("input(type=\"imtcp\" ").network_inputs.known().is_none());
    assert!(Rsyslogs::collect(&Context::new(&Memory::new()), &Selector::All).unwrap().is_empty());
    let whole = "module(load=\"imtcp\")\ninput(type=\"imtcp\" port=\"1\")\n*.* @@h\n";
    for at in 0..whole.len() {
        let cut = of(&whole[..at]);
        assert!(at < 20 || cut.network_inputs.known().is_none_or(|inputs| !inputs.is_empty()), "{at}");
    }
}
