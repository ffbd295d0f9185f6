//! What changes one stack on one machine goes one after the other: `up` beside `down` would undo each other's work.

use std::fs;
use std::path::PathBuf;

use crate::config::{Place, Settings};
use crate::error::CommandError;
use crate::package::cache_folder;
use crate::session::Session;
use crate::turn::Turn;
use crate::ui::Ui;

/// Waits until no other `up` or `down` of this machine is at work on the stack.
///
/// On AWS it is a courtesy: another machine does not see it, so where no file can be made (a home that is read-only)
/// it goes on without.
pub async fn stacks_turn(
    session: &Session,
    settings: &Settings,
    ui: &Ui,
) -> Result<Option<Turn>, CommandError> {
    let names = &session.names;
    let waits = format!(
        "Another `up` or `down` is at work on the stack \"{}\": waiting for it to end",
        names.stack
    );
    match &settings.place {
        Place::Local { data_dir, .. } => {
            let path = data_dir.join(format!("{}.turn", names.stack));
            let turn = Turn::wait(&path, &waits, ui).await;
            Ok(Some(turn.map_err(|error| {
                CommandError::failed(format!("{} cannot be locked: {error}", path.display()))
            })?))
        }
        Place::Aws { .. } => {
            let Some(folder) = turns_folder() else {
                return Ok(None);
            };
            let path = folder.join(format!("{}-{}-{}", names.account, names.region, names.stack));
            Ok(Turn::wait(&path, &waits, ui).await.ok())
        }
    }
}

fn turns_folder() -> Option<PathBuf> {
    let folder = cache_folder().ok()?.join("turns");
    fs::create_dir_all(&folder).ok()?;
    Some(folder)
}
