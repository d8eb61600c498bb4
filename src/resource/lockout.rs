//! Whether repeated failures lock an account: `pam_faillock` in working order around `pam_unix`.

use crate::fact::{Fact, Flag, Gap, Origin, Reason, Text, record};

use super::faillock::{MODULE, phase};
use super::pam::{self, Ran, Returned, Stack, ends};
use super::{Context, Resource, Selector};

record! {
    /// What one of the stacks that authenticate does about repeated failures.
    pub struct LockoutRow("lockout") {
        /// The service whose stack it is.
        service: Text,
        /// Whether nobody whose account is locked gets in with a password: a line with `preauth` (or `authsucc`, after the password)
        /// stands in every way on which `pam_unix.so` succeeds.
        refuses_locked: Flag,
        /// Whether a failure is counted: on every way on which `pam_unix.so` and the stack fail, a line with `authfail` runs.
        counts_failures: Flag,
        /// Whether a password that is right is never counted as a failure: `success=N` of `pam_unix.so` leads past `authfail`.
        spares_success: Flag,
        /// Whether a success sets the count back: in the account stack of the service, or by a line with `authsucc`.
        resets: Flag,
    }
}

/// Finds the records.
pub struct Lockouts;

impl Resource for Lockouts {
    type Row = LockoutRow;
    const SELECTOR: &'static str = "`\"*\"`, or the service whose stack it is, such as `common-auth`";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        // Debian keeps the account stack in a file of its own, Red Hat in the same one: they come in the same order.
        let accounts = pam::shared(context, "account")?;
        let services = pam::shared(context, "authentication")?;
        let wanted = services.into_iter().zip(accounts).filter(|((service, _), _)| of.picks(service));
        Ok(wanted.map(|((service, stack), (_, account))| row(&service, &stack, &account)).collect())
    }
}

const UNIX_PASSED: u8 = 1;
const UNIX_FAILED: u8 = 2;
const CHECKED: u8 = 4;
const LET_DOWN: u8 = 8;
const COUNTED: u8 = 16;
const COUNTED_LATE: u8 = 32;
const RESET: u8 = 64;

fn row(service: &str, stack: &Stack, account: &Stack) -> LockoutRow {
    let origin = stack.calls(MODULE).next().map_or_else(|| Origin::file(format!("/etc/pam.d/{service}")), |(_, line)| line.origin.clone());
    let is = |place: usize, wanted: &[&str]| {
        stack.lines.get(place).is_some_and(|line| line.calls(MODULE) && wanted.contains(&phase(&line.arguments)))
    };
    let is_unix = |place: usize| stack.lines.get(place).is_some_and(|line| line.calls("pam_unix.so"));
    let found = ends(&stack.lines, |Ran { place, returned, lost }, mut marks| {
        if is_unix(place) {
            marks |= if returned == Returned::Success { UNIX_PASSED } else { UNIX_FAILED };
        }
        if is(place, &["preauth", "authsucc"]) {
            marks |= if returned == Returned::Failure { LET_DOWN } else { CHECKED };
        }
        if is(place, &["authsucc"]) && returned == Returned::Success {
            marks |= RESET;
        }
        if is(place, &["authfail"]) {
            marks |= COUNTED;
            // A way that is lost already leads here past no jump, and an account that is locked is not counted again.
            if marks & UNIX_PASSED != 0 && !lost {
                marks |= COUNTED_LATE;
            }
        }
        marks
    });
    let flag = |value: Option<bool>| match value {
        Some(value) => Fact::Known(value, origin.clone()),
        None => Fact::Unknown(Gap::new(origin.clone(), Reason::TooLarge)),
    };
    let has = |marks: u8, mark: u8| marks & mark != 0;
    let let_in = || found.iter().flatten().filter(|end| end.success && has(end.marks, UNIX_PASSED));
    // A way on which an earlier check has refused a locked account already need not count.
    let refused = || {
        found.iter().flatten().filter(|end| end.failure && has(end.marks, UNIX_FAILED) && !has(end.marks, UNIX_PASSED | LET_DOWN))
    };
    let known = found.is_some();
    let some = |value: bool| flag(known.then_some(value));
    LockoutRow {
        service: Fact::Known(service.into(), origin.clone()),
        refuses_locked: some(let_in().count() > 0 && let_in().all(|end| has(end.marks, CHECKED) && !has(end.marks, LET_DOWN))),
        counts_failures: some(refused().count() > 0 && refused().all(|end| has(end.marks, COUNTED))),
        spares_success: some(found.iter().flatten().all(|end| !has(end.marks, COUNTED_LATE))),
        resets: match account.calls(MODULE).next() {
            Some((_, line)) => Fact::Known(true, line.origin.clone()),
            None => some(let_in().count() > 0 && let_in().all(|end| has(end.marks, RESET))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Memory;

    /// Refuses, counts, spares, resets.
    fn lockout(auth: &str, account: &str) -> [bool; 4] {
        let host = Memory::new().file("/etc/pam.d/common-auth", auth).file("/etc/pam.d/common-account", account);
        told(&host).remove(0)
    }

    fn told(host: &Memory) -> Vec<[bool; 4]> {
        let rows = Lockouts::collect(&Context::new(host), &Selector::All).unwrap();
        let flags = |row: LockoutRow| [row.refuses_locked, row.counts_failures, row.spares_success, row.resets].map(|flag| *flag.known().unwrap());
        rows.into_iter().map(flags).collect()
    }

    const ACCOUNT: &str = "account required pam_faillock.so\naccount required pam_unix.so\n";
    const REST: &str = "auth requisite pam_deny.so\nauth required pam_permit.so\nauth optional pam_cap.so\n";

    #[test]
    fn debian_by_the_book() {
        let auth = "auth requisite pam_faillock.so preauth\nauth [success=2 default=ignore] pam_unix.so\nauth [default=die] pam_faillock.so authfail\n";
        assert_eq!(lockout(&format!("{auth}{REST}"), ACCOUNT), [true; 4]);
        assert_eq!(lockout(&format!("{auth}{REST}"), "account required pam_unix.so\n"), [true, true, true, false]);
        let jumps_short = auth.replace("success=2", "success=1");
        assert_ne!(lockout(&format!("{jumps_short}{REST}"), ACCOUNT), [true; 4], "a right password lands on deny");
        let on_the_line = "auth requisite pam_faillock.so preauth\nauth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n\
            auth [default=die] pam_faillock.so authfail\nauth required pam_permit.so\n";
        let [_, counts, spares, _] = lockout(on_the_line, ACCOUNT);
        assert_eq!((counts, spares), (false, false), "a wrong password never gets there, a right one does");
        let optional = auth.replace("requisite pam_faillock", "optional pam_faillock");
        assert!(!lockout(&format!("{optional}{REST}"), ACCOUNT)[0]);
        let no_preauth = "auth [success=2 default=ignore] pam_unix.so\nauth [default=die] pam_faillock.so authfail\n";
        assert!(!lockout(&format!("{no_preauth}{REST}"), ACCOUNT)[0]);
        let dies = auth.replace("default=ignore", "default=die");
        assert!(!lockout(&format!("{dies}{REST}"), ACCOUNT)[1], "pam_unix ends the stack before it is counted");
        let authsucc = "auth [success=1 default=bad] pam_unix.so\nauth [default=die] pam_faillock.so authfail\nauth sufficient pam_faillock.so authsucc\n";
        assert_eq!(lockout(&format!("{authsucc}{REST}"), "account required pam_unix.so\n")[1..3], [true, true]);
        assert_eq!(lockout("auth required pam_unix.so\n", "account required pam_unix.so\n"), [false, false, true, false]);
    }

    #[test]
    fn red_hat_with_both_stacks() {
        let auth = "auth required pam_env.so\nauth required pam_faildelay.so delay=2000000\nauth required pam_faillock.so preauth silent\n\
            auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\nauth [default=1 ignore=ignore success=ok] pam_localuser.so\n\
            auth sufficient pam_unix.so nullok\nauth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n\
            auth sufficient pam_sss.so forward_pass\nauth required pam_faillock.so authfail\nauth required pam_deny.so\n";
        let whole = format!("{auth}{ACCOUNT}");
        let host = Memory::new().file("/etc/pam.d/system-auth", &whole).file("/etc/pam.d/password-auth", auth.replace("authfail", "authsucc"));
        assert_eq!(told(&host), [[true; 4], [true, false, true, false]]);
    }
}
