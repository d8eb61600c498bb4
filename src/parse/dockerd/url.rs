//! Addresses with the name and password of a user in them.

/// An address without the user and password before its host. Text that is no address stays as it is.
#[must_use]
pub fn without_user(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(authority).unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_user_goes() {
        assert_eq!(without_user("http://bob:p@ss@proxy:3128/a@b"), "http://proxy:3128/a@b");
        assert_eq!(without_user("https://mirror/"), "https://mirror/");
        assert_eq!(without_user("unix:///run/a@b.sock"), "unix:///run/a@b.sock");
        assert_eq!(without_user("nofile=1:2"), "nofile=1:2");
    }
}
