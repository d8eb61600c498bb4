//! What looks like a secret: by the name it is kept under, or by its own shape.
//!
//! Only ever answers yes or no and of what kind; nothing here keeps or shows a value.

/// Whether a variable or label holds a secret: its name says so, or its value has the shape of one. An empty value holds nothing.
#[must_use]
pub fn is_secret(name: &str, value: &str) -> bool {
    let value = value.trim();
    !value.is_empty() && ((name_says_so(name) && !is_harmless(value)) || shape(value).is_some())
}

/// Words that name a secret wherever they stand in a name.
const WORDS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "token",
    "tokens",
    "credential",
    "credentials",
    "apikey",
    "authkey",
];

/// Words that name a secret only as the last of several: `PWD` alone is where a shell stands.
const LAST_WORDS: [&str; 4] = ["pass", "pw", "pwd", "pat"];

/// Two words in a row that name a secret.
const PAIRS: [(&str, &str); 16] = [
    ("api", "key"),
    ("access", "key"),
    ("private", "key"),
    ("secret", "key"),
    ("encryption", "key"),
    ("signing", "key"),
    ("master", "key"),
    ("account", "key"),
    ("auth", "key"),
    ("license", "key"),
    ("service", "key"),
    ("ssh", "key"),
    ("deploy", "key"),
    ("app", "key"),
    ("storage", "key"),
    ("shared", "key"),
];

/// Words that, as the last of a name, say that the value is about a secret and not one.
const ABOUT: [&str; 51] = [
    "file",
    "files",
    "path",
    "paths",
    "dir",
    "directory",
    "folder",
    "location",
    "url",
    "uri",
    "endpoint",
    "host",
    "port",
    "issuer",
    "length",
    "len",
    "min",
    "max",
    "size",
    "age",
    "ttl",
    "timeout",
    "expiry",
    "expiration",
    "expires",
    "lifetime",
    "days",
    "hours",
    "minutes",
    "seconds",
    "policy",
    "enabled",
    "disabled",
    "required",
    "type",
    "name",
    "names",
    "id",
    "field",
    "header",
    "algorithm",
    "alg",
    "hash",
    "prefix",
    "suffix",
    "provider",
    "backend",
    "reset",
    "format",
    "version",
    "mode",
];

/// Whether a name says that its value is a secret: `DB_PASSWORD`, `stripeApiKey`, but neither `DB_PASSWORD_FILE` nor
/// `PASSWORD_MIN_LENGTH`, `KEYCLOAK_HOME`, `PATH` or `COMPASS`.
#[must_use]
pub fn name_says_so(name: &str) -> bool {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((last, before)) = words.split_last() else { return false };
    if ABOUT.contains(last) {
        return false;
    }
    // What limits or describes passwords and tokens is a number, not one of them.
    if words
        .iter()
        .any(|word| matches!(*word, "min" | "max" | "minimum" | "maximum" | "allow" | "enable" | "disable" | "require" | "no" | "num"))
    {
        return false;
    }
    words.iter().any(|word| WORDS.contains(word) || ends_in_password(word))
        || (!before.is_empty() && LAST_WORDS.contains(last))
        || words.windows(2).any(|pair| matches!(pair, [first, second] if PAIRS.contains(&(first, second))))
}

/// Run-together names: `PGPASSWORD`, `MYSQLPASSWORD`, `SSHPASS`, `accesstoken`.
fn ends_in_password(word: &str) -> bool {
    ["password", "passwd", "passphrase", "secret", "apikey", "secretkey", "accesskey", "privatekey"].iter().any(|end| word.ends_with(end))
        || matches!(word, "sshpass" | "accesstoken" | "authtoken" | "githubtoken" | "rediscliauth")
}

/// The words of a name, in lower case: split where letters change to others, and before a capital.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if (!c.is_alphanumeric() || (was_lower && c.is_uppercase())) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        was_lower = c.is_lowercase();
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Values that are no secret whatever the name says: switches, a path to the secret, a reference to be filled in.
fn is_harmless(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    matches!(lower.as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "none" | "null" | "0" | "1")
        || (value.starts_with('/') && !value.contains(char::is_whitespace) && value.matches('/').count() > 1)
        || (value.starts_with("${") && value.ends_with('}'))
}

/// Beginnings of tokens that nothing else begins with, the fewest characters that follow, and what they are.
const PREFIXES: [(&str, usize, &str); 27] = [
    ("ghp_", 30, "GitHub token"),
    ("gho_", 30, "GitHub token"),
    ("ghu_", 30, "GitHub token"),
    ("ghs_", 30, "GitHub token"),
    ("ghr_", 30, "GitHub token"),
    ("github_pat_", 30, "GitHub token"),
    ("glpat-", 16, "GitLab token"),
    ("glrt-", 16, "GitLab token"),
    ("dckr_pat_", 16, "Docker token"),
    ("xoxb-", 20, "Slack token"),
    ("xoxp-", 20, "Slack token"),
    ("xapp-", 20, "Slack token"),
    ("sk_live_", 16, "Stripe key"),
    ("rk_live_", 16, "Stripe key"),
    ("sk-ant-", 20, "Anthropic key"),
    ("sk-proj-", 20, "OpenAI key"),
    ("AIza", 35, "Google key"),
    ("ya29.", 20, "Google token"),
    ("npm_", 36, "npm token"),
    ("pypi-", 50, "PyPI token"),
    ("hvs.", 20, "Vault token"),
    ("hvb.", 20, "Vault token"),
    ("dop_v1_", 40, "DigitalOcean token"),
    ("SG.", 40, "SendGrid key"),
    ("hf_", 30, "Hugging Face token"),
    ("SWMTKN-1-", 40, "swarm join token"),
    ("SWMKEY-1-", 30, "swarm unlock key"),
];

/// What kind of secret stands somewhere in a text, by its shape alone.
#[must_use]
pub fn shape(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        return Some("private key");
    }
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for word in text.split(|c| !is_token(c)).filter(|word| word.len() >= 20) {
        let prefixed = PREFIXES.iter().find(|(prefix, least, _)| word.strip_prefix(prefix).is_some_and(|rest| rest.len() >= *least));
        if let Some((_, _, kind)) = prefixed {
            return Some(kind);
        }
        if is_aws_key_id(word) {
            return Some("AWS access key");
        }
        if is_web_token(word) {
            return Some("JSON web token");
        }
    }
    has_password_in_url(text).then_some("password in a URL")
}

/// `AKIA` or `ASIA` and sixteen capitals or digits. An access key id alone is no secret, but never stands far from one.
fn is_aws_key_id(word: &str) -> bool {
    let rest = word.strip_prefix("AKIA").or_else(|| word.strip_prefix("ASIA"));
    rest.is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
}

/// Three parts of base64 with dots between, the first two of which are JSON objects.
fn is_web_token(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    matches!(parts.as_slice(), [header, body, signature]
        if header.starts_with("eyJ") && body.starts_with("eyJ") && header.len() > 10 && body.len() > 10 && !signature.is_empty())
}

/// `scheme://user:password@host`, the password being neither empty nor a reference to be filled in.
fn has_password_in_url(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'')).next().unwrap_or_default();
        authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).is_some_and(|(_, password)| {
            !password.is_empty() && !password.starts_with('$') && !password.chars().all(|c| c == '*' || c == 'x')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "MYSQL_ROOT_PASSWORD",
            "PGPASSWORD",
            "SSHPASS",
            "REDIS_PASS",
            "AWS_SECRET_ACCESS_KEY",
            "API_KEY",
            "stripeApiKey",
            "GITHUB_TOKEN",
            "VAULT_TOKEN",
            "JWT_SECRET",
            "client-secret",
            "TLS_PRIVATE_KEY",
            "DB_PWD",
            "SECRET_KEY_BASE",
            "GOOGLE_CREDENTIALS",
            "APP_KEY",
            "ENCRYPTION_KEY",
        ] {
            assert!(name_says_so(name), "{name}");
        }
    }

    #[test]
    fn names_that_only_sound_like_it() {
        for name in [
            "PATH",
            "PWD",
            "OLDPWD",
            "DB_PWD_FILE",
            "DB_PASSWORD_FILE",
            "PASSWORD_MIN_LENGTH",
            "MIN_PASSWORD_LENGTH",
            "KEYCLOAK_HOME",
            "COMPASS",
            "KEY",
            "MONKEY",
            "TOKENIZERS_PARALLELISM",
            "TOKEN_TTL",
            "TOKEN_URL",
            "SECRET_NAME",
            "PUBLIC_KEY",
            "SSH_PUBLIC_KEY",
            "GPG_KEY",
            "PASSENGER_APP_ENV",
            "BYPASS_PROXY",
            "SECRETARIAT",
            "PASSWORD_POLICY",
            "MAX_TOKENS",
            "AWS_ACCESS_KEY_ID",
            "PATIENT",
            "ALLOW_EMPTY_PASSWORD",
            "PYTHON_GET_PIP_SHA256",
            "KEYBOARD",
            "",
        ] {
            assert!(!name_says_so(name), "{name}");
        }
    }

    #[test]
    fn values_decide_too() {
        assert!(is_secret("DB_PASSWORD", "hunter2"));
        assert!(!is_secret("DB_PASSWORD", ""));
        assert!(!is_secret("DB_PASSWORD", "/run/secrets/db"));
        assert!(!is_secret("DB_PASSWORD", "${DB_PASSWORD}"));
        assert!(!is_secret("USE_TOKEN", "true"));
        assert!(is_secret("DATABASE_URL", "postgres://app:hunter2@db:5432/app"));
        assert!(!is_secret("DATABASE_URL", "postgres://app@db:5432/app"));
        assert!(is_secret("CONFIG", "AKIAIOSFODNN7EXAMPLE"));
        assert!(!is_secret("GPG_KEY", "E3FF2839C048B25C084DEBE9B26995E310250568"), "a public fingerprint");
    }

    #[test]
    fn shapes() {
        assert_eq!(shape("-----BEGIN RSA PRIVATE KEY-----\nMII"), Some("private key"));
        assert_eq!(shape("-----BEGIN PUBLIC KEY-----\nMII"), None);
        assert_eq!(shape("curl -H 'Authorization: token ghp_0123456789abcdefghijklmnopqrstuvwxyz'"), Some("GitHub token"));
        assert_eq!(shape("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"), Some("JSON web token"));
        assert_eq!(shape("https://user:$TOKEN@example.org"), None);
        assert_eq!(shape("https://example.org/a:b@c"), None);
        assert_eq!(shape("sha256:0123456789abcdef0123456789abcdef"), None);
    }
}
