//! stub
use crate::node::Node;
/// How secrets are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As `[REDACTED]`.
    Redacted,
    /// As they are.
    Unredacted,
}
impl Node {
    /// The tree as YAML.
    pub fn to_yaml(&self, _mode: Mode) -> String {
        String::new()
    }
}
