//! The program `tailrace`: takes the command line, does what it says, ends with its exit code.

mod cli;
mod configuration;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(std::env::args_os())
}
