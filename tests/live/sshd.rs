//! What plimsoll says of sshd's options against what sshd says itself of the same configuration: `sshd -T`, with `-C` for blocks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::needs;

/// Configurations: the main file, and `sshd_config.d/10.conf` behind a line of dashes.
const CONFIGURATIONS: &[&str] = &[
    "",
    "PermitRootLogin yes\nPermitRootLogin no\nmaxauthtries=3\nLoginGraceTime 1m30s\nX11Forwarding\tYES # x\r\n",
    "Include sshd_config.d/*.conf\nPermitRootLogin no\n----\nPERMITROOTLOGIN without-password\nMatch User al\nX11Forwarding yes\n",
    "AllowUsers a \"b c\"\nAllowUsers d\nDenyGroups x\nAcceptEnv LANG LC_*\nAcceptEnv FOO\nSetEnv A=1 B=2\nSetEnv C=3\n",
    "Ciphers -*-cbc,aes128-ctr\nMACs ^hmac-sha1\nKexAlgorithms +diffie-hellman-group14-sha1\nHostKeyAlgorithms ssh-ed25519\n",
    "CASignatureAlgorithms -ssh-ed25519\nPubkeyAcceptedAlgorithms +ssh-rsa\nHostbasedAcceptedAlgorithms -*cert*\n",
    "MaxStartups 5\nPort 22\nPort 2222\nLogLevel debug3\nSyslogFacility local3\nAllowTcpForwarding all\nCompression delayed\n",
    "PermitRootLogin no\nMatch User al\nPermitRootLogin yes\nBanner /x\nMatch Address 10.0.0.0/8\nPermitRootLogin prohibit-password\nMaxSessions 3\n",
    "Match User bob\nInclude sshd_config.d/*.conf\nMaxAuthTries 4\n----\nForceCommand /bin/sh -c \"a b\"\nMatch Address 10.0.0.0/8\nMaxSessions 2\n",
    "ClientAliveInterval 2h\nClientAliveCountMax 0\nRekeyLimit 512M 1h\nPermitOpen a:1 b:*\nPermitListen 8080\nStreamLocalBindMask 0177\n",
    "IgnoreRhosts shosts-only\nGatewayPorts clientspecified\nPermitTunnel ethernet\nPermitUserEnvironment LANG,LC_*\nUsePAM no\nVersionAddendum hello you\n",
    "Subsystem sftp internal-sftp -l INFO\nSubsystem x /x\nAuthenticationMethods publickey,password publickey\nKeepAlive no\n",
    "Protocol 2\nUsePrivilegeSeparation sandbox\nChallengeResponseAuthentication yes\nFingerprintHash md5\nFingerprintHash sha256\n",
    // Those sshd refuses.
    "PermitRootLogn no\n",
    "MaxAuthTries\n",
    "MaxAuthTries four\n",
    "Banner \"x\n",
    "LoginGraceTime 1y\n",
    "MaxStartups 0\n",
    "X11Forwarding yes no\n",
    "Match User al\nUsePAM yes\n",
    "Match Colour red\n",
    "AuthorizedKeysCommand /bin/x\n",
];

/// Who connects, and from where.
const CONNECTIONS: [(&str, &str); 3] = [("al", "10.1.1.1"), ("bob", "10.1.1.1"), ("zed", "192.168.1.1")];

/// Options that are not compared: what sshd prints of them depends on the machine, or is written in another way.
const APART: [&str; 6] = ["ListenAddress", "IPQoS", "PidFile", "ModuliFile", "XAuthLocation", "GSSAPIKexAlgorithms"];

#[test]
fn options_are_those_sshd_would_use() {
    needs!("options_are_those_sshd_would_use", "sshd", "unshare");
    let root = tempdir();
    fs::create_dir_all(root.join("etc/ssh/sshd_config.d")).unwrap();
    fs::create_dir_all(root.join("usr/sbin")).unwrap();
    fs::create_dir_all("/run/sshd").unwrap();
    fs::copy("/usr/sbin/sshd", root.join("usr/sbin/sshd")).unwrap();
    for key in fs::read_dir("/etc/ssh").unwrap().map(|entry| entry.unwrap().path()) {
        if key.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ssh_host_")) {
            fs::copy(&key, root.join("etc/ssh").join(key.file_name().unwrap())).unwrap();
        }
    }
    let mut compared = 0;
    for configuration in CONFIGURATIONS {
        let (main, included) = configuration.split_once("----\n").unwrap_or((configuration, ""));
        fs::write(root.join("etc/ssh/sshd_config"), main).unwrap();
        fs::write(root.join("etc/ssh/sshd_config.d/10.conf"), included).unwrap();
        let ours = ours(&root);
        let Some(theirs) = theirs(&root, None) else {
            assert!(ours.iter().all(|row| row.value.is_none()), "sshd refuses it, and there are values:\n{configuration}");
            continue;
        };
        compared += compare(configuration, &ours, &theirs, |_| false);
        for (user, address) in CONNECTIONS {
            let theirs = self::theirs(&root, Some((user, address))).unwrap();
            compared += compare(configuration, &ours, &theirs, |criteria| matches(criteria, user, address));
        }
    }
    assert!(compared > 2_000, "only {compared} values were compared");
    fs::remove_dir_all(root).unwrap();
}

/// One record: its value is `None` where it is not known.
struct Row {
    option: String,
    criteria: Option<String>,
    value: Option<Option<String>>,
}

fn tempdir() -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("plimsoll-sshd-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn ours(root: &Path) -> Vec<Row> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(["facts", "--root"]).arg(root).args(["sshd", "*", "--json"]).output().unwrap();
    let parsed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let records = parsed.as_array().or_else(|| parsed["records"].as_array()).unwrap().clone();
    let text = |fact: &Value| match &fact["known"][0] {
        Value::Object(tagged) => tagged.values().next().and_then(Value::as_str).map(str::to_owned),
        other => other.as_str().map(str::to_owned),
    };
    let row = |record: &Value| {
        let facts = &record["facts"];
        let value = if facts["value"].get("unknown").is_some() { None } else { Some(text(&facts["value"])) };
        Row { option: text(&facts["option"]).unwrap(), criteria: text(&facts["criteria"]), value }
    };
    records.iter().map(row).collect()
}

/// What `sshd -T` prints, by option; `None` where it refuses the configuration.
fn theirs(root: &Path, connection: Option<(&str, &str)>) -> Option<BTreeMap<String, Vec<String>>> {
    let spec =
        connection.map(|(user, address)| format!("-C user={user},host=h,addr={address},laddr=127.0.0.1,lport=22")).unwrap_or_default();
    let script = format!("mount --bind {}/etc/ssh /etc/ssh && exec /usr/sbin/sshd -T {spec}", root.display());
    let output = Command::new("unshare").args(["-m", "sh", "-c", &script]).output().unwrap();
    output.status.success().then(|| {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (option, value) = line.split_once(' ').unwrap_or((line, ""));
            found.entry(option.to_owned()).or_default().push(value.to_owned());
        }
        found
    })
}

/// Compares every option both know; the number of them.
fn compare(configuration: &str, ours: &[Row], theirs: &BTreeMap<String, Vec<String>>, holds: impl Fn(&str) -> bool) -> usize {
    let mut compared = 0;
    let outside = ours.iter().filter(|row| row.criteria.is_none() && !APART.contains(&row.option.as_str()));
    for row in outside {
        let block = ours.iter().find(|other| other.option == row.option && other.criteria.as_deref().is_some_and(&holds));
        let (Some(said), Some(printed)) = (&block.unwrap_or(row).value, theirs.get(&row.option.to_ascii_lowercase())) else { continue };
        let expected = match row.option.as_str() {
            "AllowUsers" | "DenyUsers" | "AllowGroups" | "DenyGroups" | "AcceptEnv" | "SetEnv" | "Port" | "HostKey" => printed.join(" "),
            "Subsystem" => printed.join(", "),
            _ => printed[0].clone(),
        };
        let expected = match (row.option.as_str(), expected.as_str()) {
            ("PermitRootLogin", "without-password") => "prohibit-password".to_owned(),
            ("LogLevel", "SILENT") => "QUIET".to_owned(),
            ("LogLevel", "DEBUG1") => "DEBUG".to_owned(),
            ("StreamLocalBindMask", _) => format!("{expected:0>4}"),
            _ => expected,
        };
        let said = said.clone().unwrap_or_default();
        assert_eq!(said, expected, "{} of\n{configuration}", row.option);
        compared += 1;
    }
    compared
}

/// Whether a block of one of the configurations above catches a connection.
fn matches(criteria: &str, user: &str, address: &str) -> bool {
    let words: Vec<&str> = criteria.split(' ').collect();
    words.chunks(2).all(|pair| match pair {
        ["User", name] => *name == user,
        ["Address", _] => address.starts_with("10."),
        _ => false,
    })
}
