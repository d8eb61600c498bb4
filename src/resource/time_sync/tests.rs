use super::*;
use crate::host::memory::Memory;

fn get(host: &Memory, name: &str) -> TimeSync {
    TimeSyncs::collect(&Context::new(host), &Selector::Keys(vec![name.into()])).unwrap().remove(0)
}

fn servers(host: &Memory, name: &str) -> Option<Vec<String>> {
    get(host, name).servers.known().map(|list| list.iter().map(|text| text.raw().to_owned()).collect())
}

fn process(host: Memory, pid: i32, name: &str, uid: u32, unit: &str) -> Memory {
    let status = format!("Name:\t{name}\nPPid:\t1\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t0\t0\t0\t0\nCapEff:\t0\nCapBnd:\t0\n");
    host.file(&format!("/proc/{pid}/status"), status).file(&format!("/proc/{pid}/cgroup"), format!("0::/{unit}\n"))
}

#[test]
fn chrony_with_all_its_directories() {
    let host = Memory::new()
        .file("/etc/chrony/chrony.conf", "pool 2.debian.pool.ntp.org iburst\n#server no\nconfdir /etc/chrony/conf.d /run/conf.d\nsourcedir /run/chrony-dhcp\nsourcedir /etc/chrony/sources.d\ninclude /etc/chrony/more*.txt\n")
        .file("/etc/chrony/conf.d/a.conf", "server a\n")
        .file("/run/conf.d/a.conf", "server masked\n")
        .file("/etc/chrony/conf.d/README", "server no\n")
        .file("/run/chrony-dhcp/eth0.sources", "server dhcp iburst\n")
        .file("/etc/chrony/sources.d/x.sources", "peer p\n")
        .file("/etc/chrony/sources.d/x.conf", "server no\n")
        .file("/etc/chrony/more1.txt", "refclock PHC /dev/ptp0\n");
    assert_eq!(servers(&host, "chrony").unwrap(), ["2.debian.pool.ntp.org", "a", "dhcp", "p", "refclock PHC"]);
    assert_eq!(servers(&Memory::new().file("/etc/chrony.conf", "Server r\n"), "chrony").unwrap(), ["r"]);
    let looped = Memory::new().file("/etc/chrony.conf", "include /etc/chrony.conf\n");
    assert_eq!(servers(&looped, "chrony"), None);
    assert_eq!(servers(&host.gap("/run/chrony-dhcp", Reason::Denied), "chrony"), None);
}

#[test]
fn timesyncd_by_its_own_choice_alone() {
    let host = || Memory::new().file("/etc/systemd/timesyncd.conf", "[Time]\n#NTP=x\nFallbackNTP=f1 f2\n");
    assert_eq!(servers(&host(), "systemd-timesyncd").unwrap(), ["f1", "f2"]);
    assert_eq!(servers(&host().file("/etc/systemd/timesyncd.conf.d/a.conf", "[Time]\nNTP=a\n"), "systemd-timesyncd").unwrap(), ["a"]);
    assert!(servers(&Memory::new(), "systemd-timesyncd").unwrap().is_empty(), "what is built in is nobody's choice");
    let hidden = host().gap("/etc/systemd/timesyncd.conf", Reason::Denied);
    assert_eq!(servers(&hidden, "systemd-timesyncd"), None);
}

#[test]
fn who_runs_and_as_whom() {
    let unit = "[Install]\nWantedBy=multi-user.target\nAlias=chronyd.service\n";
    let host = Memory::new().file("/etc/passwd", "root:x:0:0::/:/bin/sh\n_chrony:x:110:110::/:/bin/false\n").file("/usr/lib/systemd/system/chrony.service", unit);
    let host = process(host, 1, "systemd", 0, "init.scope");
    let host = process(host, 20, "chronyd", 110, "system.slice/chrony.service");
    let host = process(host, 21, "chronyd", 110, "system.slice/chrony.service");
    let row = get(&host, "chrony");
    assert_eq!((row.in_use.known(), row.users.known()), (Some(&true), Some(&vec!["_chrony".into()])));
    assert!(row.synchronized.known().is_none());
    let root = process(host, 21, "chronyd", 0, "system.slice/chrony.service");
    assert_eq!(get(&root, "chrony").users.known(), Some(&vec!["_chrony".into(), "root".into()]));
    let idle = get(&root, "ntpsec");
    assert_eq!((idle.installed.known(), idle.in_use.known()), (Some(&false), Some(&false)));
    assert!(matches!(idle.users, Fact::Absent(_)));
}

#[test]
fn ntpsec_is_not_counted_twice() {
    let host = Memory::new()
        .file("/usr/lib/systemd/system/ntpsec.service", "[Install]\nAlias=ntp.service\nAlias=ntpd.service\n")
        .symlink("/etc/systemd/system/ntp.service", "/usr/lib/systemd/system/ntpsec.service")
        .file("/etc/ntpsec/ntp.conf", "pool a\n")
        .file("/etc/ntpsec/ntp.d/x.conf", "server b\n");
    let host = process(process(host, 1, "systemd", 0, "init.scope"), 9, "ntpd", 7, "system.slice/ntpsec.service");
    let used: Vec<_> = TimeSyncs::collect(&Context::new(&host), &Selector::All).unwrap();
    let used: Vec<_> = used.iter().filter(|row| row.in_use.known() == Some(&true)).map(|row| row.name.known().unwrap().raw()).collect();
    assert_eq!(used, ["ntpsec"]);
    assert_eq!(servers(&host, "ntpsec").unwrap(), ["a", "b"]);
}

#[test]
fn timesyncd_says_when_the_clock_is_right() {
    let host = || process(process(Memory::new(), 1, "systemd", 0, "init.scope"), 9, "systemd-timesyn", 7, "system.slice/systemd-timesyncd.service");
    assert_eq!(get(&host(), "systemd-timesyncd").synchronized.known(), Some(&false));
    assert_eq!(get(&host().file("/run/systemd/timesync/synchronized", ""), "systemd-timesyncd").synchronized.known(), Some(&true));
    let stopped = process(Memory::new(), 1, "systemd", 0, "init.scope").file("/run/systemd/timesync/synchronized", "");
    assert!(matches!(get(&stopped, "systemd-timesyncd").synchronized, Fact::Absent(_)), "a mark that was left behind");
}
