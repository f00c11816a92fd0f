//! `cargo xtask run`: the broker on its embedded defaults, built in release.

use std::os::unix::process::CommandExt;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// Builds and becomes the broker, so that a signal reaches it and not a parent of it.
pub(crate) fn run(arguments: &[&str]) -> Outcome {
    let arguments = arguments.strip_prefix(&["--"]).unwrap_or(arguments);
    let workspace = Workspace::read()?;
    println!("Building Plexus in release; the first build takes a few minutes.");
    command::run(&mut command::cargo(&["build", "--release", "--package", "plexus"]))?;
    let program = workspace.target.join("release").join("plexus");
    print!("{}", next_steps(&program.display().to_string()));
    let error = command::program(&program, &["serve", "--print-listeners"]).args(arguments).exec();
    Err(Failure::new(format!("{} does not start: {error}", program.display())))
}

fn next_steps(program: &str) -> String {
    format!(
        "\
Starting `{program} serve`; Ctrl-C ends it. It prints below where it listens.
In other terminals, try:

  {program} sub -t 'hello/#'
  {program} pub -t hello/world -m 'first message'
  {program} config show

"
    )
}
