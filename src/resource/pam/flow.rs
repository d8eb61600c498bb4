//! Which ways there are through a list of lines, as libpam walks it: which lines can run, and what a stack lets through.
//!
//! Every module may return anything, but for those that always return the same. A line that can run on no way has no effect.

use std::collections::BTreeSet;

use crate::parse::pam::{Action, RETURNS};

use super::stack::{Handler, Step};

/// What a module returned, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Returned {
    /// `success`.
    Success,
    /// `ignore`: the module has no opinion.
    Ignore,
    /// Anything else.
    Failure,
}

/// What the lines so far amount to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Verdict {
    Open,
    Success,
    /// Positive, but with a result other than success, such as a password that has to be changed.
    Other,
    Failure,
}

/// One way that has come to a line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Way {
    verdict: Verdict,
    /// The verdict at the entry of each substack, two bits each.
    entered: u64,
    /// What the caller marked on the way.
    marks: u8,
}

/// How a way ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct End {
    /// Whether the stack as a whole succeeded.
    pub(crate) success: bool,
    /// Whether it failed; a third way is a success with a condition, such as a password that has to be changed.
    pub(crate) failure: bool,
    /// What the caller marked.
    pub(crate) marks: u8,
}

/// More ways than this are not followed.
const MOST_WAYS: usize = 1024;

/// A line that runs.
#[derive(Clone, Copy)]
pub(crate) struct Ran {
    /// Its place.
    pub(crate) place: usize,
    /// What its module returned.
    pub(crate) returned: Returned,
    /// Whether the stack cannot succeed any more because of a line before it.
    pub(crate) lost: bool,
}

/// All ends of a list. `mark` is told of each line that runs, and what was marked before.
/// `None` where there are too many ways.
pub(crate) fn ends(handlers: &[Handler], mark: impl Fn(Ran, u8) -> u8) -> Option<BTreeSet<End>> {
    let mut at: Vec<BTreeSet<Way>> = vec![BTreeSet::new(); handlers.len() + 1];
    at.first_mut()?.insert(Way { verdict: Verdict::Open, entered: 0, marks: 0 });
    for (place, handler) in handlers.iter().enumerate() {
        for way in std::mem::take(at.get_mut(place)?) {
            for (returned, action) in outcomes(handler) {
                let mut next = way;
                if handler.step != Step::Substack {
                    next.marks = mark(Ran { place, returned, lost: way.verdict == Verdict::Failure }, way.marks);
                }
                let to = walk(handlers, place, returned, action, &mut next);
                if handlers.get(to).is_some_and(|entered| entered.level > handler.level) {
                    next.entered = save(next.entered, handlers.get(to)?.level, next.verdict);
                }
                let ways = at.get_mut(to)?;
                ways.insert(next);
                if ways.len() > MOST_WAYS {
                    return None;
                }
            }
        }
    }
    let end = |way: &Way| End {
        success: way.verdict == Verdict::Success,
        failure: matches!(way.verdict, Verdict::Failure | Verdict::Open),
        marks: way.marks,
    };
    Some(at.last()?.iter().map(end).collect())
}

/// Which lines can run at all, by place. `None` where there are too many ways.
pub(crate) fn reachable(handlers: &[Handler]) -> Option<Vec<bool>> {
    // One pass over places is enough for this: only the verdict decides where a way goes.
    let seen = std::cell::RefCell::new(vec![false; handlers.len()]);
    ends(handlers, |ran, marks| {
        if let Some(seen) = seen.borrow_mut().get_mut(ran.place) {
            *seen = true;
        }
        marks
    })?;
    Some(seen.into_inner())
}

/// What `pam_deny.so` returns, by type and version.
const DENIED: [&str; 5] = ["auth_err", "acct_expired", "authtok_err", "session_err", "perm_denied"];

/// What a line's module may return, and what is done then, each pair once.
fn outcomes(handler: &Handler) -> Vec<(Returned, Action)> {
    let action = |returned: &str| handler.control.action(returned);
    let failures = || RETURNS.iter().filter(|returned| !matches!(**returned, "success" | "ignore" | "incomplete"));
    match handler.step {
        Step::Substack => vec![(Returned::Success, Action::Ignore)],
        Step::MustFail => vec![(Returned::Failure, action("perm_denied"))],
        Step::Module if handler.calls("pam_permit.so") => vec![(Returned::Success, action("success"))],
        Step::Module => {
            let failures: BTreeSet<Action> = failures().map(|returned| action(returned)).collect();
            let failed = failures.into_iter().map(|action| (Returned::Failure, action));
            if handler.calls("pam_deny.so") {
                let denied: BTreeSet<Action> = DENIED.iter().map(|returned| action(returned)).collect();
                return denied.into_iter().map(|action| (Returned::Failure, action)).collect();
            }
            failed.chain([(Returned::Success, action("success")), (Returned::Ignore, action("ignore"))]).collect()
        }
    }
}

/// Does what an action says, and gives the place of the next line.
fn walk(handlers: &[Handler], place: usize, returned: Returned, action: Action, way: &mut Way) -> usize {
    let level = handlers.get(place).map_or(0, |handler| handler.level);
    let stays = |place: usize| handlers.get(place).is_some_and(|handler| handler.level >= level);
    let end = || (place + 1..).find(|place| !stays(*place)).unwrap_or(handlers.len());
    match action {
        Action::Ignore => place + 1,
        Action::Reset => {
            way.verdict = load(way.entered, level);
            place + 1
        }
        Action::Ok | Action::Done => {
            if matches!(way.verdict, Verdict::Open | Verdict::Success) {
                way.verdict = if returned == Returned::Success { Verdict::Success } else { Verdict::Other };
            }
            if action == Action::Done && way.verdict != Verdict::Failure { end() } else { place + 1 }
        }
        Action::Bad | Action::Die => {
            way.verdict = Verdict::Failure;
            if action == Action::Die { end() } else { place + 1 }
        }
        Action::Jump(count) => {
            let mut to = place + 1;
            for _ in 0..count {
                if !stays(to) {
                    // Too far: libpam lets the stack fail.
                    way.verdict = Verdict::Failure;
                    break;
                }
                to += 1;
                // A substack counts as one line.
                while handlers.get(to).is_some_and(|handler| handler.level > level) {
                    to += 1;
                }
            }
            to
        }
    }
}

const VERDICTS: [Verdict; 4] = [Verdict::Open, Verdict::Success, Verdict::Other, Verdict::Failure];

fn save(entered: u64, level: u8, verdict: Verdict) -> u64 {
    let shift = u32::from(level.min(31)) * 2;
    let bits = VERDICTS.iter().zip(0u64..).find(|(known, _)| **known == verdict).map_or(0, |(_, bits)| bits);
    entered & !(3 << shift) | bits << shift
}

fn load(entered: u64, level: u8) -> Verdict {
    let bits = (entered >> (u32::from(level.min(31)) * 2)) & 3;
    VERDICTS.iter().zip(0u64..).find(|(_, of)| *of == bits).map_or(Verdict::Open, |(verdict, _)| *verdict)
}
