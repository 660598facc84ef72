//! Nothing typed is ever lost: each change goes into a journal in the browser at once, and to the server 250 ms later.
//! A text that was changed elsewhere meanwhile is never overwritten silently.

use crate::api::worksheet::{load_worksheet, save_worksheet_text};
use crate::ui::code_editor::Editor;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::names::Id;
use model::problem::{ErrorCode, Problem};
use model::worksheet::Worksheet;
use std::time::Duration;

const DELAY: Duration = Duration::from_millis(250);
const RETRY: Duration = Duration::from_secs(3);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Writing a longer text into the journal at each key would be felt; it is written with the delay of saving.
const JOURNAL_AT_ONCE_BYTES: usize = 256 << 10;

/// Where the text is.
#[derive(Clone, Debug, PartialEq)]
pub enum SaveState {
    Saved,
    Saving,
    /// Kept in the browser; it will be tried again.
    Failed(Problem),
    /// Someone else saved; theirs is here, ours stays in the editor.
    Conflict(Box<Worksheet>),
}

#[derive(Clone, Copy)]
pub struct Autosave {
    id: StoredValue<Id>,
    editor: Editor,
    pub state: RwSignal<SaveState>,
    /// The version on the server that the text grew out of.
    version: StoredValue<i64>,
    /// Counts changes; `saved` is the count that the server has.
    edits: StoredValue<u64>,
    saved: StoredValue<u64>,
    is_sending: StoredValue<bool>,
    /// Mark of the text that is on its way, to recognise it should the page die before the answer.
    sending: StoredValue<Option<u64>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    failures: StoredValue<u32>,
}

impl Autosave {
    pub fn new(worksheet: &Worksheet, editor: Editor) -> Self {
        Self {
            id: StoredValue::new(worksheet.id.clone()),
            editor,
            state: RwSignal::new(SaveState::Saved),
            version: StoredValue::new(worksheet.version),
            edits: StoredValue::new(0),
            saved: StoredValue::new(0),
            is_sending: StoredValue::new(false),
            sending: StoredValue::new(None),
            timer: StoredValue::new(None),
            failures: StoredValue::new(0),
        }
    }

    /// The text has changed.
    pub fn touch(self) {
        self.edits.update_value(|edits| *edits += 1);
        if self.editor.text().with_untracked(String::len) <= JOURNAL_AT_ONCE_BYTES {
            self.write_journal();
        }
        match self.state.get_untracked() {
            SaveState::Conflict(_) => self.write_journal(),
            SaveState::Saved | SaveState::Saving | SaveState::Failed(_) => {
                if self.state.with_untracked(|state| *state == SaveState::Saved) {
                    self.state.set(SaveState::Saving);
                }
                self.schedule(DELAY);
            }
        }
    }

    /// Saves now what is not saved.
    pub fn flush(self) {
        self.schedule(Duration::ZERO);
    }

    fn is_dirty(self) -> bool {
        self.edits.try_get_value() != self.saved.try_get_value()
    }

    fn schedule(self, delay: Duration) {
        self.timer.try_update_value(|timer| {
            if let Some(timer) = timer.take() {
                timer.clear();
            }
            *timer = set_timeout_with_handle(move || self.send(), delay).ok();
        });
    }

    fn send(self) {
        let Some(is_sending) = self.is_sending.try_get_value() else { return };
        let is_conflict = self.state.with_untracked(|state| matches!(state, SaveState::Conflict(_)));
        if is_sending || is_conflict || !self.is_dirty() {
            return;
        }
        let (id, version, edits) = (self.id.get_value(), self.version.get_value(), self.edits.get_value());
        let text = self.editor.text().get_untracked();
        self.is_sending.set_value(true);
        self.sending.set_value(Some(mark_of(&text)));
        self.write_journal();
        spawn_local(async move {
            let answer = save_worksheet_text(id.clone(), text.clone(), version).await;
            self.is_sending.try_set_value(false);
            match answer {
                Ok(version) => self.stored(version, edits),
                Err(error) if error.code() == ErrorCode::Conflict => self.meet(&id, &text, edits).await,
                Err(error) => self.fail(error.0),
            }
        });
    }

    /// The server has the text of `edits`.
    fn stored(self, version: i64, edits: u64) {
        self.version.try_set_value(version);
        self.saved.try_set_value(edits);
        self.sending.try_set_value(None);
        self.failures.try_set_value(0);
        if self.is_dirty() {
            self.state.try_set(SaveState::Saving);
            self.schedule(Duration::ZERO);
        } else {
            self.clear_journal();
            self.state.try_set(SaveState::Saved);
        }
    }

    /// Someone was faster: with the same text there is nothing to decide.
    async fn meet(self, id: &Id, text: &str, edits: u64) {
        match load_worksheet(id.clone()).await {
            Ok(details) if details.worksheet.text == text => self.stored(details.worksheet.version, edits),
            Ok(details) => _ = self.state.try_set(SaveState::Conflict(Box::new(details.worksheet))),
            Err(error) => self.fail(error.0),
        }
    }

    fn fail(self, problem: Problem) {
        let failures = self.failures.try_update_value(|failures| {
            *failures = failures.saturating_add(1);
            *failures
        });
        let delay = RETRY.saturating_mul(failures.unwrap_or(1)).min(RETRY_MAX);
        // A text that the server refuses will be refused again: only a change helps.
        let is_final = matches!(problem.code, ErrorCode::Invalid | ErrorCode::NotFound | ErrorCode::Forbidden);
        self.state.try_set(SaveState::Failed(problem));
        if !is_final {
            self.schedule(delay);
        }
    }

    /// Settles a conflict: the text of this page replaces the other.
    pub fn keep_mine(self) {
        if let SaveState::Conflict(theirs) = self.state.get_untracked() {
            self.version.set_value(theirs.version);
            self.state.set(SaveState::Saving);
            self.edits.update_value(|edits| *edits += 1);
            self.flush();
        }
    }

    /// Settles a conflict: the other text replaces this one.
    pub fn take_theirs(self) {
        if let SaveState::Conflict(theirs) = self.state.get_untracked() {
            self.take(&theirs);
        }
    }

    /// Shows the text of the server, which is newer.
    fn take(self, theirs: &Worksheet) {
        self.version.set_value(theirs.version);
        self.state.set(SaveState::Saved);
        self.editor.set_text(&theirs.text);
        let edits = self.edits.get_value();
        self.stored(theirs.version, edits);
    }

    /// Looks whether another window saved while this one was away; without changes of its own it follows.
    pub fn look(self) {
        if self.is_dirty() || self.is_sending.get_value() {
            return;
        }
        let id = self.id.get_value();
        spawn_local(async move {
            let Ok(details) = load_worksheet(id).await else { return };
            let is_newer = self.version.try_get_value().is_some_and(|version| details.worksheet.version > version);
            if is_newer && !self.is_dirty() {
                self.take(&details.worksheet);
            }
        });
    }
}

/// Tells texts apart (FNV-1a).
fn mark_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |mark, byte| (mark ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What the journal of an earlier visit means for the text that the server has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Recovery {
    /// The server has all of it.
    Nothing,
    /// Typed after the last save: goes on from there.
    Continue,
    /// Typed while someone else saved.
    Conflict,
}

#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code, reason = "journals are kept in browsers only"))]
fn recovery(journal: &Journal, stored_text: &str, stored_version: i64) -> Recovery {
    let was_on_its_way = stored_version == journal.version + 1 && journal.sending == Some(mark_of(stored_text));
    if journal.text == stored_text {
        Recovery::Nothing
    } else if journal.version == stored_version || was_on_its_way {
        Recovery::Continue
    } else {
        Recovery::Conflict
    }
}

/// A text that the server may not have yet.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Journal {
    /// The version that the text grew out of.
    version: i64,
    /// Mark of the text that was on its way.
    sending: Option<u64>,
    text: String,
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::*;

    /// Each window has its own journal: two may type into the same worksheet.
    fn window_id(storage: &web_sys::Storage) -> String {
        const KEY: &str = "lakedeck.window";
        storage.get_item(KEY).ok().flatten().unwrap_or_else(|| {
            let id = format!("{:x}", (js_sys::Math::random() * 1e15) as u64);
            _ = storage.set_item(KEY, &id);
            id
        })
    }

    fn prefix(id: &Id) -> String {
        format!("lakedeck.journal.{id}.")
    }

    fn key(id: &Id) -> Option<String> {
        let session = window().session_storage().ok().flatten()?;
        Some(format!("{}{}", prefix(id), window_id(&session)))
    }

    impl Autosave {
        pub(super) fn write_journal(self) {
            let Some(id) = self.id.try_get_value() else { return };
            let journal = Journal {
                version: self.version.get_value(),
                sending: self.sending.get_value(),
                text: self.editor.text().get_untracked(),
            };
            let storage = window().local_storage().ok().flatten();
            if let (Some(storage), Some(key), Ok(json)) = (storage, key(&id), serde_json::to_string(&journal)) {
                // Full or forbidden: saving on the server goes on all the same.
                _ = storage.set_item(&key, &json);
            }
        }

        pub(super) fn clear_journal(self) {
            let Some(id) = self.id.try_get_value() else { return };
            if let Some(storage) = window().local_storage().ok().flatten() {
                let mine = key(&id);
                for key in keys(&storage, &id) {
                    // Those of closed windows were taken over by `recover`.
                    if Some(&key) == mine.as_ref() || self.adopted(&storage, &key) {
                        _ = storage.remove_item(&key);
                    }
                }
            }
        }

        /// Whether a journal of another window says nothing that this text does not say.
        fn adopted(self, storage: &web_sys::Storage, key: &str) -> bool {
            let journal =
                storage.get_item(key).ok().flatten().and_then(|json| serde_json::from_str::<Journal>(&json).ok());
            journal.is_none_or(|journal| self.editor.text().with_untracked(|text| *text == journal.text))
        }

        /// Takes up what an earlier visit could not save. Call it once the editor is there.
        pub fn recover(self, worksheet: &Worksheet) {
            let Some(storage) = window().local_storage().ok().flatten() else { return };
            let mine = key(&worksheet.id);
            let mut keys = keys(&storage, &worksheet.id);
            keys.sort_by_key(|key| Some(key) != mine.as_ref());
            for key in keys {
                let json = storage.get_item(&key).ok().flatten().unwrap_or_default();
                let Ok(journal) = serde_json::from_str::<Journal>(&json) else {
                    _ = storage.remove_item(&key);
                    continue;
                };
                match recovery(&journal, &worksheet.text, worksheet.version) {
                    Recovery::Nothing => _ = storage.remove_item(&key),
                    Recovery::Continue => return self.editor.set_text(&journal.text),
                    Recovery::Conflict => {
                        self.state.set(SaveState::Conflict(Box::new(worksheet.clone())));
                        return self.editor.set_text(&journal.text);
                    }
                }
            }
        }

        /// Saves what is not saved when the page is left.
        pub fn save_on_leaving(self) {
            on_cleanup(move || {
                let is_conflict = self.state.try_with_untracked(|state| matches!(state, SaveState::Conflict(_)));
                if !self.is_dirty() || is_conflict != Some(false) {
                    return;
                }
                if let (Some(id), Some(version)) = (self.id.try_get_value(), self.version.try_get_value()) {
                    let text = self.editor.text().get_untracked();
                    let key = key(&id);
                    spawn_local(async move {
                        if save_worksheet_text(id, text, version).await.is_ok()
                            && let (Some(storage), Some(key)) = (window().local_storage().ok().flatten(), key)
                        {
                            _ = storage.remove_item(&key);
                        }
                    });
                }
            });
        }
    }

    /// The journals of a worksheet.
    fn keys(storage: &web_sys::Storage, id: &Id) -> Vec<String> {
        let prefix = prefix(id);
        let count = storage.length().unwrap_or_default();
        (0..count)
            .filter_map(|index| storage.key(index).ok().flatten())
            .filter(|key| key.starts_with(&prefix))
            .collect()
    }
}

#[cfg(not(feature = "hydrate"))]
mod server {
    use super::*;

    /// The same verbs where there is no browser.
    impl Autosave {
        pub(super) fn write_journal(self) {
            _ = (self.sending, JOURNAL_AT_ONCE_BYTES);
        }

        pub(super) fn clear_journal(self) {}

        pub fn recover(self, _: &Worksheet) {}

        pub fn save_on_leaving(self) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_journal_means() {
        let journal =
            |version, sending: Option<&str>| Journal { version, sending: sending.map(mark_of), text: "c".into() };
        let check = |journal: &Journal, text: &str, version: i64, expected: Recovery| {
            assert_eq!(recovery(journal, text, version), expected, "{journal:?} {text} {version}");
        };
        check(&journal(1, None), "c", 5, Recovery::Nothing);
        check(&journal(1, None), "a", 1, Recovery::Continue);
        check(&journal(1, Some("b")), "b", 2, Recovery::Continue);
        check(&journal(1, Some("b")), "x", 2, Recovery::Conflict);
        check(&journal(1, Some("b")), "b", 3, Recovery::Conflict);
        check(&journal(1, None), "x", 2, Recovery::Conflict);
    }
}
