//! What there is to say of who is told when an alarm goes off.

use crate::config::{Place, Settings};
use crate::engine::Fields;
use crate::resources::UNCONFIRMED;

/// The address, of what was read of a topic, that has not confirmed yet that it wants to be told.
pub fn unconfirmed(topic: &Fields) -> Option<&str> {
    topic.text(UNCONFIRMED)
}

/// Why nobody is told, if that is so.
pub fn of_alarms(settings: &Settings, unconfirmed: Option<&str>) -> Option<String> {
    settings.alarms.as_ref()?;
    let place = &settings.place;
    if matches!(place, Place::Local { .. }) || place.is_other_cloud_on_this_machine() {
        return Some("a local cloud sends no mail: alarms go off, and nobody is told".to_owned());
    }
    let address = unconfirmed?;
    Some(format!(
        "a mail to {address} waits for confirmation: until its link is followed, nobody is told there"
    ))
}
