//! Settings of components whose own are not there yet: kept as they stand.

use settings::{Decode, Node, Problems};

macro_rules! kept_as_it_stands {
    ($($name:ident $text:literal)*) => { $(
        #[doc = $text]
        #[derive(Clone, Debug)]
        pub(crate) struct $name(Node);
        impl Decode for $name {
            fn decode(node: &Node, p: &mut Problems) -> Option<$name> { node.map($text, p).map(|_| $name(node.clone())) }
        }
        impl $name {
            pub(crate) fn effective(&self) -> Node { self.0.clone() }
        }
    )* };
}
kept_as_it_stands!(OtlpReceiver "otlp");
