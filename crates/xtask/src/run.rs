//! `cargo xtask run`: the broker on its embedded defaults, built in release.

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;

use crate::command;
use crate::dashboard;
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// Builds and becomes the broker, so that a signal reaches it and not a parent of it.
pub(crate) fn run(arguments: &[&str]) -> Outcome {
    let arguments = arguments.strip_prefix(&["--"]).unwrap_or(arguments);
    let workspace = Workspace::read()?;
    dashboard::build_if_possible(&workspace);
    println!("Building Plexus in release; the first build takes a few minutes.");
    command::run(&mut command::cargo(&["build", "--release", "--package", "plexus"]))?;
    let program = workspace.target.join("release").join("plexus");
    let name = program.display().to_string();
    let mut serve = command::program(&program, &["serve"]);
    if std::io::stderr().is_terminal() {
        println!("{}", starting(&name));
    } else {
        // Without a terminal the broker writes its log only; a person may still read along.
        print!("{}\n{}", starting(&name), next_steps(&name));
        serve.arg("--print-listeners");
    }
    let error = serve.args(arguments).exec();
    Err(Failure::new(format!("{name} does not start: {error}")))
}

fn starting(program: &str) -> String {
    format!("Starting `{program} serve`; Ctrl-C ends it. `plexus` below stands for that program.")
}

fn next_steps(program: &str) -> String {
    format!(
        "\
It prints where it listens. In other terminals, try:

  {program} sub -t 'hello/#' -v
  {program} pub -t hello/world -m 'first message'
  {program} config show

"
    )
}
