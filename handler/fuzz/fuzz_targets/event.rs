//! Events: whatever the JSON is, objects or a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use resizer_handler::event::objects;

fuzz_target!(|event: &[u8]| {
    let Ok(event) = serde_json::from_slice(event) else {
        return;
    };
    if let Ok(objects) = objects(&event, Some("originals")) {
        assert!(!objects.is_empty());
    }
});
