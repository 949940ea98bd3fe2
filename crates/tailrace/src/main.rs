//! The program `tailrace`: takes the command line, does what it says, ends with its exit code.

mod cli;
mod configuration;
mod pipeline;
mod reference;
mod surroundings;
mod telemetry;
mod terminal;

use std::process::ExitCode;

/// Spans are allocated on connections' threads and freed on the deciding one, which glibc's allocator takes badly.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::main(std::env::args_os())
}
