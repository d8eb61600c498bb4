//! Secrets planted wherever hosts keep them, and looked for in everything plimsoll can be made to print.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests start the binary, read what it wrote, and fail by panicking"
)]

mod common;

use std::fs;
use std::process::Command;

use common::Copied;
use serde_json::{Value, json};

/// Makes secrets that occur nowhere else, and remembers them.
#[derive(Default)]
struct Secrets(Vec<(String, String)>);

impl Secrets {
    /// A new secret, and where it is put.
    fn planted_in(&mut self, place: &str) -> String {
        let secret = format!("Zq7vK{:02}wX9rTb4mQ", self.0.len());
        self.0.push((place.to_owned(), secret.clone()));
        secret
    }

    /// The place of the first secret that a text holds, as it is or encoded.
    fn in_text(&self, text: &str) -> Option<String> {
        self.0.iter().find_map(|(place, secret)| {
            let found = forms(secret).into_iter().find(|form| text.contains(form.as_str()))?;
            let at = text.find(found.as_str())?;
            let line = text[..at].matches('\n').count();
            Some(format!("the secret of {place}, as {found}:\n{}", text.lines().nth(line).unwrap_or_default()))
        })
    }
}

/// How a secret could be written: as it is, in hexadecimal, and in base64 wherever it begins.
fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![secret.to_owned(), secret.to_lowercase(), secret.chars().rev().collect(), hex.to_uppercase(), hex];
    for before in 0..3 {
        // What stands before and after it has a part in the first and last characters.
        let encoded = base64(&[vec![b'x'; before], secret.as_bytes().to_vec()].concat());
        let skipped = [0, 2, 3][before];
        forms.push(encoded.trim_end_matches('=').chars().skip(skipped).take(20).collect());
    }
    forms
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// Changes a JSON file of the host.
fn edit(host: &Copied, path: &str, change: impl FnOnce(&mut Value)) {
    let mut document: Value = serde_json::from_str(&host.text(path)).unwrap();
    change(&mut document);
    host.write(path, &document.to_string());
}

/// A host with a secret in every place that hosts keep them.
fn planted() -> (Copied, Secrets) {
    let (host, mut secrets) = (Copied::of("containers"), Secrets::default());
    let mut secret = |place: &str| secrets.planted_in(place);

    let (named, plain, url) =
        (secret("a variable called a password"), secret("a variable with a plain name"), secret("a URL in a variable"));
    let (label, note) = (secret("a label called a token"), secret("a label with a plain name"));
    let (argument, health, log) = (secret("an argument of a container"), secret("a health check"), secret("an option of the log driver"));
    edit(&host, "engine/containers/good.json", |container| {
        let config = &mut container["Config"];
        config["Env"] =
            json!([format!("DB_PASSWORD={named}"), format!("GREETING={plain}"), format!("DATABASE=postgres://web:{url}@db/web")]);
        config["Labels"] = json!({"api.token": label, "note": note});
        config["Cmd"] = json!(["/bin/sleep", format!("--password={argument}")]);
        config["Healthcheck"] = json!({"Test": ["CMD", "curl", "-u", format!("probe:{health}")], "Interval": 30_000_000_000_u64});
        container["Args"] = container["Config"]["Cmd"].clone();
        container["HostConfig"]["LogConfig"] = json!({"Type": "splunk", "Config": {"splunk-token": log}});
        container["HostConfig"]["Sysctls"] = json!({"kernel.domainname": "x"});
    });
    let (image_variable, image_label) = (secret("a variable of an image"), secret("a label of an image"));
    edit(&host, "engine/images/app_1.json", |image| {
        image["Config"]["Env"] = json!([format!("API_KEY={image_variable}")]);
        image["Config"]["Labels"] = json!({"secret": image_label});
    });
    let (step, build) = (secret("a build step"), secret("an argument of a build"));
    let content =
        "root/var/lib/docker/image/overlay2/imagedb/content/sha256/e7e30fde27c6bcf5a5d3f21f558fb5ac3543a1e2032306491e8fde5d78bcea6d";
    edit(&host, content, |image| {
        image["history"] = json!([
            {"created": "2026-01-01T00:00:00Z", "created_by": format!("/bin/sh -c curl -H 'Authorization: Bearer {step}' https://x | sh")},
            {"created": "2026-01-01T00:00:00Z", "created_by": format!("|1 TOKEN={build} /bin/sh -c make")},
            {"created": "2026-01-01T00:00:00Z", "created_by": format!("ENV API_KEY={image_variable}")},
        ]);
    });
    let (network, volume) = (secret("a label of a network"), secret("an option of a volume"));
    edit(&host, "engine/networks.json", |networks| networks[0]["Labels"] = json!({"token": network}));
    edit(&host, "engine/volumes.json", |volumes| {
        volumes["Volumes"] = json!([{"Name": "share", "Driver": "local", "Mountpoint": "/v", "Options": {"type": "cifs", "o": format!("username=a,password={volume}")}}]);
    });

    let (proxy, mirror, unknown) =
        (secret("a proxy in daemon.json"), secret("a mirror in daemon.json"), secret("an unknown key of daemon.json"));
    let (token, daemon_label) = (secret("a log option in daemon.json"), secret("a label in daemon.json"));
    host.write(
        "root/etc/docker/daemon.json",
        &json!({
            "proxies": {"http-proxy": format!("http://proxy:{proxy}@proxy.example.net:3128")},
            "registry-mirrors": [format!("https://mirror:{mirror}@mirror.example.net")],
            "log-opts": {"splunk-token": token},
            "labels": [format!("token={daemon_label}")],
            "x-vendor-secret": unknown,
        })
        .to_string(),
    );
    let (said_proxy, said_mirror) = (secret("a proxy the engine tells of"), secret("a mirror the engine tells of"));
    edit(&host, "engine/info.json", |info| {
        info["HttpProxy"] = json!(format!("http://proxy:{said_proxy}@proxy.example.net:3128"));
        info["RegistryConfig"]["Mirrors"] = json!([format!("http://mirror:{said_mirror}@mirror.example.net/")]);
        info["Labels"] = json!([format!("token={said_proxy}")]);
    });
    let (variable, option) = (secret("a variable in a drop-in"), secret("an option in /etc/default/docker"));
    host.write(
        "root/etc/systemd/system/docker.service.d/proxy.conf",
        &format!("[Service]\nEnvironment=\"HTTPS_PROXY=http://a:{variable}@p:3128\" \"REGISTRY_TOKEN={variable}\"\n"),
    );
    host.write(
        "root/etc/default/docker",
        &format!("DOCKER_OPTS=\"--log-opt splunk-token={option} --registry-mirror=https://m:{option}@m.example.net\"\nTOKEN={option}\n"),
    );
    let flag = secret("a flag of dockerd");
    host.write(
        "root/proc/600/cmdline",
        &format!("/usr/sbin/dockerd\0-H\0fd://\0--log-opt\0splunk-token={flag}\0--http-proxy=http://p:{flag}@p:1\0"),
    );
    let (environment, process) = (secret("the environment of a process"), secret("an argument of a process"));
    host.write("root/proc/500/environ", &format!("PATH=/bin\0TOKEN={environment}\0"));
    host.write("root/proc/500/cmdline", &format!("/usr/bin/containerd\0--token={process}\0{process}\0"));

    let (login, identity, header, client_proxy) =
        (secret("a registry login"), secret("an identity token"), secret("a header of the client"), secret("a proxy of the client"));
    host.write(
        "root/root/.docker/config.json",
        &json!({
            "auths": {
                "registry.example.com": {"auth": base64(format!("web:{login}").as_bytes())},
                "other.example.com": {"username": "web", "password": login, "identitytoken": identity},
            },
            "HttpHeaders": {"X-Api-Key": header},
            "proxies": {"default": {"httpProxy": format!("http://a:{client_proxy}@p:3128")}},
        })
        .to_string(),
    );
    let hash = secret("a password hash");
    host.write("root/etc/shadow", &format!("root:$6$rounds=5000$salt${hash}:19000:0:99999:7:::\nops:{hash}:19000:0:99999:7:::\n"));
    let key = secret("a private key");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(key.as_bytes()));
    host.write("root/root/.docker/key.pem", &pem);
    host.write("root/etc/docker/certs.d/registry.example.com/client.key", &pem);
    (host, secrets)
}

/// All that a command line prints, on both streams.
fn printed(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let output = command.env_clear().env("HOME", "/nonexistent").args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn forms_are_found() {
    let mut secrets = Secrets::default();
    let secret = secrets.planted_in("a test");
    assert_eq!(base64(b"Man"), "TWFu");
    assert_eq!(base64(b"Ma"), "TWE=");
    for text in
        [secret.clone(), base64(secret.as_bytes()), base64(format!("a:{secret}").as_bytes()), base64(format!("user:{secret}!").as_bytes())]
    {
        assert!(secrets.in_text(&format!("x {text} y")).is_some(), "{text}");
    }
    assert!(secrets.in_text("Zq7vK-wX9rTb4mQ").is_none());
}

#[test]
fn no_report_holds_a_secret() {
    let (host, secrets) = planted();
    let root = host.root().display().to_string();
    let profiles = "docker-host,cis-docker-1.8";
    let json = printed(&["audit", "--root", &root, "--profile", profiles, "--format", "json"]);
    let run: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    // They were seen for what they are.
    for sign in ["DB_PASSWORD", "API_KEY", "splunk", "registry.example.com"] {
        assert!(json.contains(sign), "the run says nothing of {sign}");
    }
    let result =
        |check: &str| run["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check).unwrap()["result"].clone();
    for check in ["container-no-secret-environment", "image-no-secrets", "registry-logins-helped"] {
        assert_eq!(result(check), "fail", "{check}");
    }
    let formats = ["terminal", "json", "csv"].map(|format| {
        let text = printed(&["audit", "--root", &root, "--profile", profiles, "--verbose", "--colour", "always", "--format", format]);
        (format, text)
    });
    let explained = printed(&["audit", "--root", &root, "--profile", profiles, "--explain-score"]);
    for (format, text) in formats.iter().map(|(format, text)| (*format, text)).chain([("--explain-score", &explained)]) {
        assert!(text.len() > 1000, "{format}: {text}");
        if let Some(leak) = secrets.in_text(text) {
            panic!("{format} holds {leak}");
        }
    }
}

#[test]
fn no_fact_holds_a_secret() {
    let (host, secrets) = planted();
    let root = host.root().display().to_string();
    let resources = printed(&["list", "resources"]);
    let mut asked: Vec<Vec<String>> = resources.lines().map(|line| vec![line.split(' ').next().unwrap().to_owned()]).collect();
    // What has to be selected: files that hold secrets, and files that hold some beside other things.
    let paths = [
        "/etc/shadow",
        "/root/.docker/config.json",
        "/root/.docker/key.pem",
        "/etc/docker/daemon.json",
        "/etc/default/docker",
        "/etc/systemd/system/docker.service.d/proxy.conf",
        "/proc/500/environ",
        "/proc/500/cmdline",
        "/etc/docker/certs.d/registry.example.com/client.key",
    ];
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    for path in paths {
        asked.push(words(&["file", path]));
        asked.push(words(&["line", &format!("file={path}"), "matches=.*"]));
        for pointer in [
            "/auths/registry.example.com/auth",
            "/HttpHeaders/X-Api-Key",
            "/proxies/http-proxy",
            "/x-vendor-secret",
            "/log-opts/splunk-token",
        ] {
            asked.push(words(&["json", &format!("file={path}"), &format!("pointer={pointer}")]));
        }
        asked.push(words(&["ini", &format!("file={path}"), "section=Service", "key=Environment"]));
    }
    let mut answered = 0;
    let mut leaks = Vec::new();
    for query in &asked {
        for json in [true, false] {
            let query: Vec<&str> = query.iter().map(String::as_str).collect();
            let mut line = [&["facts", "--root", &root], query.as_slice()].concat();
            line.extend(json.then_some("--json"));
            let text = printed(&line);
            answered += usize::from(text.len() > 100);
            if let Some(leak) = secrets.in_text(&text) {
                leaks.push(format!("facts {}: {leak}", query.join(" ")));
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n\n"));
    assert!(answered > 40, "only {answered} questions had an answer");
    fs::metadata(host.path("root/etc/shadow")).unwrap();
}
