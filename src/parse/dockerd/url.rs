//! Addresses: without the user in them, and without the port.

/// An address without the user and password before its host. Text that is no address stays as it is.
#[must_use]
pub fn without_user(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(authority).unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

/// The host of `HOST[:PORT]`: of `[fd00::1]:2377`, `10.0.0.1:2377`, `localhost`, `eth0` or `fd00::1`.
#[must_use]
pub fn host_of(address: &str) -> &str {
    match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None if address.matches(':').count() == 1 => address.split(':').next().unwrap_or(address),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_brackets_go() {
        let hosts = ["[fd00::1]:2377", "10.0.0.1:2377", "localhost", "fd00::1"].map(host_of);
        assert_eq!(hosts, ["fd00::1", "10.0.0.1", "localhost", "fd00::1"]);
    }

    #[test]
    fn only_the_user_goes() {
        assert_eq!(without_user("http://bob:p@ss@proxy:3128/a@b"), "http://proxy:3128/a@b");
        assert_eq!(without_user("https://mirror/"), "https://mirror/");
        assert_eq!(without_user("unix:///run/a@b.sock"), "unix:///run/a@b.sock");
        assert_eq!(without_user("nofile=1:2"), "nofile=1:2");
    }
}
