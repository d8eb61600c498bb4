//! Takes out of free text what looks like a secret, for files of which nobody can know what they hold.
//!
//! A net under the rules for what is understood, not in place of them: it knows addresses with passwords, names whose values are
//! secrets, and secrets that have a shape of their own.

use std::sync::LazyLock;

use regex::Regex;

use super::secret;

/// What stands in the place of what was taken out.
pub const TAKEN: &str = "…";

/// A pattern whose first group goes before what it finds, and whose second group is the secret.
fn pattern(text: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "written here, and compiled by the tests")]
    Regex::new(text).expect("a pattern")
}

/// The user in an address: `scheme://USER@host`.
static USER: LazyLock<Regex> = LazyLock::new(|| pattern(r#"([A-Za-z][A-Za-z0-9+.-]*://)([^\s/"'\\@]*)@"#));

/// What is sent to prove who one is.
static HEADER: LazyLock<Regex> = LazyLock::new(|| pattern(r"((?i:\b(?:bearer|basic))\s+)([A-Za-z0-9+/_.=~-]{8,})"));

/// A name, and what is assigned to it; or a flag, and its argument.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?x) (?: ([A-Za-z0-9_.-]+) \\?["']? \s* [=:] \s* | (--?[A-Za-z][A-Za-z0-9_-]*) \s+ )
        ( "(?:[^"\\]|\\.)*" | '[^']*' | [^\s,;&"'}\]]+ )"#,
    )
});

/// A word that may have a shape.
static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r#"[^\s"',;=]{20,}"#));

/// The text without what looks like a secret.
#[must_use]
pub fn scrub(text: &str) -> String {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY") {
        return TAKEN.to_owned();
    }
    let text = USER.replace_all(text, format!("${{1}}{TAKEN}@"));
    let text = HEADER.replace_all(&text, format!("${{1}}{TAKEN}"));
    let text = assigned(&text);
    WORD.replace_all(&text, |word: &regex::Captures<'_>| {
        let word = word.get(0).map_or("", |word| word.as_str());
        if secret::shape(word).is_some() { TAKEN.to_owned() } else { word.to_owned() }
    })
    .into_owned()
}

/// What stands under a name: nothing of it where the name says that it is a secret, though whether something is on or off may be known.
#[must_use]
pub fn scrub_named(name: &str, value: &str) -> String {
    if secret::name_says_so(name) && !matches!(value, "" | "true" | "false" | "null" | "yes" | "no" | "on" | "off") {
        return TAKEN.to_owned();
    }
    scrub(value)
}

/// Takes the values of names that say so. What is assigned to other names may hold assignments in turn.
fn assigned(text: &str) -> String {
    let mut kept = String::new();
    let mut from = 0;
    while let Some(found) = PAIR.captures_at(text, from) {
        let (Some(name), Some(value)) = (found.get(1).or(found.get(2)), found.get(3)) else { break };
        let upto = text.get(from..value.start()).unwrap_or_default();
        kept.push_str(upto);
        from = if secret::name_says_so(name.as_str().trim_start_matches('-')) && !matches!(value.as_str(), "true" | "false") {
            kept.push_str(TAKEN);
            value.end()
        } else {
            value.start()
        };
        // A quote that opens a value is no part of a name within it.
        if let Some(quote) = text.get(from..).and_then(|rest| rest.chars().next()).filter(|c| matches!(c, '"' | '\'')) {
            kept.push(quote);
            from += quote.len_utf8();
        }
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_and_the_rest_stays() {
        for (text, clean) in [
            ("http-proxy = http://bob:hunter2@proxy:3128/", "http-proxy = http://…@proxy:3128/"),
            (r#"{"log-opts":{"splunk-token":"hunter2","max-size":"1m"}}"#, r#"{"log-opts":{"splunk-token":…,"max-size":"1m"}}"#),
            (r#"{"labels":["token=hunter2","tier=web"]}"#, r#"{"labels":["token=…","tier=web"]}"#),
            (
                r#"Environment="HTTPS_PROXY=http://a:hunter2@p" "API_TOKEN=hunter2""#,
                r#"Environment="HTTPS_PROXY=http://…@p" "API_TOKEN=…""#,
            ),
            (r#"OPTS="--log-opt splunk-token=hunter2 --debug""#, r#"OPTS="--log-opt splunk-token=… --debug""#),
            ("db_password: hunter2 # ours", "db_password: … # ours"),
            ("client_secret='two words' x=1", "client_secret=… x=1"),
            ("curl -H 'Authorization: Bearer hunter2hunter2'", "curl -H 'Authorization: Bearer …'"),
            ("mysql --password hunter2 -h db", "mysql --password … -h db"),
            ("https://x/?access_token=hunter2&y=1", "https://x/?access_token=…&y=1"),
            ("ghp_0123456789abcdefghijABCDEFGHIJ012345 pushes", "… pushes"),
            ("-----BEGIN RSA PRIVATE KEY-----", "…"),
            (r#"{"note":"say \"password=hunter2\" aloud"}"#, r#"{"note":"say \"password=…" aloud"}"#),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        for text in [
            "PasswordAuthentication no",
            "PermitRootLogin prohibit-password",
            "PASS_MAX_DAYS 365",
            "password requisite pam_pwquality.so retry=3 minlen=14",
            "password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass yescrypt",
            "Defaults use_pty, logfile=\"/var/log/sudo.log\"",
            "ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS",
            r#"{"icc":false,"hosts":["tcp://0.0.0.0:2376","unix:///run/docker.sock"]}"#,
            "-a always,exit -F path=/usr/bin/sudo -F perm=x -F auid>=1000 -F auid!=-1 -k privileged",
            "root:x:0:0:root:/root:/bin/bash",
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "",
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn a_name_decides_of_its_value() {
        assert_eq!(scrub_named("splunk-token", "hunter2"), "…");
        assert_eq!(scrub_named("use_token", "true"), "true");
        assert_eq!(scrub_named("log-driver", "journald"), "journald");
        assert_eq!(scrub_named("mirror", "https://a:hunter2@m"), "https://…@m");
    }

    #[test]
    fn nothing_makes_it_fail() {
        for text in ["\"", "password=", "=:=:", "a='b", "\u{fffd}token=\u{fffd}", "--", "password=\"\\", "x://@"] {
            let _ = scrub(text);
        }
        assert_eq!(scrub(&"token=a ".repeat(10_000)).len(), "token=… ".len() * 10_000);
    }
}
