use std::fmt::Display;
use std::process::ExitCode;

use clap::ValueEnum;

use crate::STATUS_BAD_INPUT;

/// Form of an answer.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Prints what a command answers, or what is wrong with its input.
#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn print(answer: Result<String, impl Display>) -> ExitCode {
    match answer {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(STATUS_BAD_INPUT)
        }
    }
}
