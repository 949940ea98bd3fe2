//! What Tailrace measures of itself, taken from one snapshot at each scrape and each report.
//!
//! Nothing is counted here: the engine, the receivers and the destinations keep plain counters, and a reading copies them.
//! So metrics cost nothing between scrapes, and one scrape shows books that add up. Names, labels and units are otelcol's
//! where it has one for the same thing; Tailrace's own begin with `tailrace_`.
//!
//! ```text
//!  Reading ─► Series (by metric and labels) ─┬─► Exposition, to be scraped
//!                                            └─► Report, to be pushed
//! ```

pub(crate) mod exposition;
mod layout;
mod pipelines;
mod reading;
pub(crate) mod report;
mod sampling;
mod series;
pub(crate) mod table;

pub(crate) use layout::Layout;
pub(crate) use reading::{Reading, ReceiverCounts, Reloads};
pub(crate) use series::Series;
use series::Value;
use table::{Kind, Metric};

#[cfg(test)]
mod documentation;
#[cfg(test)]
mod tests;
