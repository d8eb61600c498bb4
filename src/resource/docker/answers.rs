//! What engines answered, kept for the run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value;

use crate::fact::{Fact, Gap, Reason};
use crate::host::engine::Route;
use crate::parse::engine_json::{self, ContainerListEntry};
use crate::resource::Context;

type Cells<T> = Mutex<HashMap<(PathBuf, Route), Arc<OnceLock<Fact<T>>>>>;

/// Answers by socket and question.
#[derive(Default)]
pub(super) struct Answers {
    raw: Cells<Arc<[u8]>>,
    json: Cells<Arc<Value>>,
    containers: Cells<Arc<Vec<ContainerListEntry>>>,
}

fn once<T: Clone>(cells: &Cells<T>, socket: &Path, question: Route, make: impl FnOnce() -> Fact<T>) -> Fact<T> {
    let cell = {
        let mut cells = cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.entry((socket.to_path_buf(), question)).or_default().clone()
    };
    cell.get_or_init(make).clone()
}

fn ask(context: &Context<'_>, socket: &Path, question: Route) -> Fact<Arc<[u8]>> {
    match context.host.engine(socket, &question) {
        // Only of one container, image or network an engine may say that there is none.
        Fact::Absent(origin) if !question.is_about_one() => {
            Fact::Unknown(Gap::new(origin, Reason::malformed("the engine does not know this question")))
        }
        answer => answer,
    }
}

impl Answers {
    pub(super) fn raw(&self, context: &Context<'_>, socket: &Path, question: Route) -> Fact<Arc<[u8]>> {
        once(&self.raw, socket, question, || ask(context, socket, question))
    }

    pub(super) fn json(&self, context: &Context<'_>, socket: &Path, question: Route) -> Fact<Arc<Value>> {
        once(&self.json, socket, question, || {
            self.raw(context, socket, question).and_then(|body, origin| match serde_json::from_slice(&body) {
                Ok(value) => Fact::Known(Arc::new(value), origin),
                Err(error) => Fact::Unknown(Gap::new(origin, Reason::malformed(error.to_string()))),
            })
        })
    }

    /// The list of containers. The answer itself, megabytes where there are many, is not kept.
    pub(super) fn containers(&self, context: &Context<'_>, socket: &Path) -> Fact<Arc<Vec<ContainerListEntry>>> {
        once(&self.containers, socket, Route::Containers, || {
            ask(context, socket, Route::Containers).and_then(|body, origin| match engine_json::read(&body) {
                Ok(list) => Fact::Known(Arc::new(list), origin),
                Err(what) => Fact::Unknown(Gap::new(origin, Reason::malformed(what))),
            })
        })
    }
}
