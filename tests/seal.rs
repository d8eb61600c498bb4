//! The sandbox, tried through the binary.
#![expect(clippy::disallowed_types, reason = "it starts the program under test")]

use std::process::{Command, Stdio};

#[expect(clippy::unwrap_used, reason = "a test")]
fn plimsoll(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn every_forbidden_act_is_refused_and_every_allowed_one_succeeds() {
    let output = plimsoll(&["self-test", "sandbox"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let forbidden = text.lines().filter(|line| line.contains("Killed") || line.contains("Refused")).count();
    assert!(forbidden >= 80, "only {forbidden} acts were refused:\n{text}");
}

/// An act that could not be done anyway proves nothing: without the sandbox most succeed, or fail for want of an object.
#[test]
fn it_is_the_sandbox_that_refuses() {
    let output = plimsoll(&["self-test", "sandbox", "--unsealed"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    // What a plain user may not do is refused to one without a sandbox too.
    let refused = text.lines().filter(|line| line.contains("Killed") || line.contains("Refused")).count();
    assert!(refused < 40, "{text}");
}

#[test]
fn a_worker_started_by_hand_does_nothing() {
    let output = plimsoll(&["worker"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("started by plimsoll itself"));
}
