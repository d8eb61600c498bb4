//! Images as whole records, against engines in memory.

use serde_json::{Value, json};

use super::*;
use crate::fact::Reason;
use crate::host::engine::{Id, Route};
use crate::host::memory::Memory;
use crate::resource::container::fixture::{SOCKET, host, id, inspect};

const USED: &str = "161a4bef10cfb0ae379e75c5a281a49341570162241d738d5f6eee2623427d83";

/// A host with a container and with images of these identifiers, tags and configurations.
fn images(images: &[(&str, Value, Value)]) -> Memory {
    let entry =
        |(id, tags, _): &(&str, Value, Value)| json!({"Id": format!("sha256:{id}"), "RepoTags": tags, "RepoDigests": null, "Created": 1});
    let list = Value::Array(images.iter().map(entry).collect());
    let host = host(&[inspect('a', json!({}))]).answer(SOCKET, Route::Images, list.to_string());
    images.iter().fold(host, |host, (id, _, config)| {
        let body = json!({"Id": format!("sha256:{id}"), "Created": "2026-11-24T11:30:45.15686721Z", "Architecture": "amd64", "Config": config,
            "RootFS": {"Type": "layers", "Layers": [format!("sha256:{}", "a".repeat(64))]}});
        host.answer(SOCKET, Route::Image(Id::parse(id).unwrap()), body.to_string())
    })
}

fn collect(host: &Memory, key: &str) -> Vec<Image> {
    Images::collect(&Context::new(host), &Selector::Keys(vec![key.into()])).unwrap()
}

fn texts(fact: &Fact<Vec<Text>>) -> Vec<&str> {
    fact.known().unwrap().iter().map(Text::raw).collect()
}

#[test]
fn tags_use_and_dangling() {
    let (b, c) = (id('b'), id('c'));
    let host = images(&[
        (USED, json!(["app:1", "app:latest"]), json!({})),
        (&b, json!(["<none>:<none>"]), json!({})),
        (&c, json!(["old:1"]), json!({})),
    ]);
    let facts: Vec<_> = collect(&host, "**")
        .iter()
        .map(|row| (row.name.known().unwrap().raw().to_owned(), *row.used.known().unwrap(), *row.dangling.known().unwrap()))
        .collect();
    assert_eq!(facts, [("app:1".into(), true, false), ("bbbbbbbbbbbb".into(), false, true), ("old:1".into(), false, false)]);
    assert_eq!(collect(&host, "app:latest").len(), 1, "any tag names it");
}

#[test]
fn configuration() {
    let config = json!({"User": "0:0", "Healthcheck": {"Test": ["NONE"]}, "ExposedPorts": {"22/tcp": {}, "53/udp": {}},
        "Env": ["NPM_TOKEN=hunter2", "PATH=/bin"], "Labels": {"deploy.password": "hunter2", "title": "x", "empty.token": ""}});
    let [row] = collect(&images(&[(USED, json!(["app:1"]), config)]), "app:1").try_into().unwrap();
    assert_eq!((row.root.known(), row.healthcheck.known()), (Some(&true), Some(&false)));
    assert_eq!(texts(&row.exposed_ports), ["tcp/22", "udp/53"]);
    assert_eq!((texts(&row.secret_environment), texts(&row.secret_labels)), (vec!["NPM_TOKEN"], vec!["deploy.password"]));
    assert!(!format!("{row:?}").contains("hunter2"));
}

#[test]
fn build_steps_come_from_disk() {
    let config = json!({"architecture": "amd64", "history": [
        {"created_by": "/bin/sh -c #(nop) ADD file:1141 in / "}, {"created_by": "/bin/sh -c apt-get update"},
        {"created_by": "ADD https://example.org/x /x # buildkit"}, {"created_by": "ENV API_KEY=hunter2", "empty_layer": true},
        {"created_by": "RUN /bin/sh -c curl -s https://x | sh # buildkit"}], "rootfs": {"diff_ids": []}});
    let path = format!("/var/lib/docker/image/overlay2/imagedb/content/sha256/{USED}");
    let plain = || images(&[(USED, json!(["app:1"]), json!({}))]);
    let [row] = collect(&plain().file(&path, config.to_string()), "app:1").try_into().unwrap();
    assert_eq!(texts(&row.index_updates), ["step 2: apt-get update"]);
    assert_eq!(texts(&row.add_instructions), ["step 3: ADD https://example.org/x /x"]);
    assert_eq!(texts(&row.unverified_installs), ["step 5: curl into sh"]);
    assert_eq!(texts(&row.secret_history), ["step 4: variable API_KEY"]);
    assert!(!format!("{row:?}").contains("hunter2"));
    let [row] = collect(&plain(), "app:1").try_into().unwrap();
    assert!(matches!(row.index_updates, Fact::Unknown(_)), "no configuration is no clean history");
    let [row] = collect(&plain().file(&path, "").gap(&path, Reason::Denied), "app:1").try_into().unwrap();
    assert!(matches!(row.add_instructions, Fact::Unknown(Gap { reason: Reason::Denied, .. })));
}

#[test]
fn set_uid_files_are_looked_for_only_where_asked() {
    let digest = "a".repeat(64);
    let host = images(&[(USED, json!(["app:1"]), json!({}))])
        .file(&format!("/var/lib/docker/image/overlay2/layerdb/sha256/{digest}/cache-id"), "low")
        .file("/var/lib/docker/overlay2/low/diff/bin/su", "")
        .owned("/var/lib/docker/overlay2/low/diff/bin/su", 0, 0, 0o4755);
    let [row] = collect(&host, "app:1").try_into().unwrap();
    assert_eq!(texts(&row.setuid_files), ["/bin/su"]);
    let context = Context::new(&host).wanting([("image", ["root".to_owned()].into())].into());
    let rows = Images::collect(&context, &Selector::All).unwrap();
    assert!(matches!(&rows[0].setuid_files, Fact::Unknown(Gap { reason: Reason::NotCollected, .. })));
}

#[test]
fn an_image_that_cannot_be_inspected_keeps_what_the_list_says() {
    let host = images(&[(USED, json!(["app:1"]), json!({}))]).answer(SOCKET, Route::Image(Id::parse(USED).unwrap()), "{");
    let [row] = collect(&host, "app:1").try_into().unwrap();
    assert_eq!((row.used.known(), row.dangling.known()), (Some(&true), Some(&false)));
    assert!(matches!(&row.root, Fact::Unknown(Gap { reason: Reason::Malformed(_), .. })));
    let refused = host.no_answer(SOCKET, Route::Images, Reason::Denied);
    assert!(Images::collect(&Context::new(&refused), &Selector::All).is_err());
}
