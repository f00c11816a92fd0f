//! What is made from the command line itself.

use std::{fs, io, path::PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use plexus_terminal::Failure;

use crate::out::Out;

/// For which shell.
#[derive(Debug, Clone, Copy, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  plexus completions bash > ~/.local/share/bash-completion/completions/plexus
  plexus completions zsh > ~/.zfunc/_plexus       with ~/.zfunc in fpath
  plexus completions fish > ~/.config/fish/completions/plexus.fish";

/// Which manual page.
#[derive(Debug, Clone, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub struct ManArgs {
    /// The words of a command, such as ctl clients; none for the program
    #[arg(conflicts_with = "dir")]
    command: Vec<String>,

    /// Write the pages of all commands into this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

const MAN_EXAMPLES: &str = "\
Examples:
  plexus man | man -l -
  plexus man ctl clients list | man -l -
  plexus man --dir /usr/local/share/man/man1";

/// Prints what a shell reads to complete the words of the program.
pub fn completions(args: CompletionsArgs, mut program: Command) -> Result<(), Failure> {
    let (name, mut script) = (program.get_name().to_owned(), Vec::new());
    clap_complete::generate(args.shell, &mut program, name, &mut script);
    print(&script)
}

/// Prints a manual page, or writes all of them.
pub fn man(args: &ManArgs, mut program: Command) -> Result<(), Failure> {
    if let Some(dir) = &args.dir {
        let written = fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(program, dir));
        return written.map_err(|error| {
            Failure::because(
                format_args!("cannot write manual pages into {}", dir.display()),
                &error,
            )
        });
    }
    // Options that hold for all commands are then told with each.
    program.build();
    let mut command = &program;
    for word in &args.command {
        command = command.find_subcommand(word).ok_or_else(|| {
            let (name, within) = (command.get_name(), args.command.join(" "));
            Failure::Usage(format!("there is no command `{within}`: `{name}` has no `{word}`"))
        })?;
    }
    let mut page = Vec::new();
    let rendered = Man::new(command.clone()).render(&mut page);
    rendered.map_err(|error: io::Error| Failure::because("cannot make the manual page", &error))?;
    print(&page)
}

fn print(text: &[u8]) -> Result<(), Failure> {
    Out::stdout(crate::OutputArgs { json: false }).write(&String::from_utf8_lossy(text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::{CommandFactory, Parser, Subcommand};

    use super::{ManArgs, man};
    use crate::{CtlArgs, tests::Folder};

    #[derive(Debug, Parser)]
    #[command(name = "plexus")]
    struct Program {
        #[command(subcommand)]
        command: Commands,
    }

    #[derive(Debug, Subcommand)]
    enum Commands {
        /// Ask a node
        Ctl(Box<CtlArgs>),
    }

    #[test]
    fn each_command_has_a_page_that_tells_its_options() {
        let folder = Folder::new();
        let args = ManArgs { command: Vec::new(), dir: Some(folder.path().join("man1")) };
        man(&args, Program::command()).unwrap();
        let page =
            fs::read_to_string(folder.path().join("man1/plexus-ctl-clients-list.1")).unwrap();
        for told in ["\\-\\-search", "\\-\\-json", "\\-\\-url"] {
            assert!(page.contains(told), "{told}: {page}");
        }
    }

    #[test]
    fn a_page_of_no_command_is_a_mistake() {
        let args = ManArgs { command: vec!["ctl".into(), "cilents".into()], dir: None };
        let failure = man(&args, Program::command()).unwrap_err().to_string();
        assert!(failure.contains("no command `ctl cilents`: `ctl` has no `cilents`"), "{failure}");
    }

    #[test]
    fn each_shell_gets_its_script() {
        use clap::ValueEnum;
        for shell in clap_complete::Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Program::command(), "plexus", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("kick"), "{shell}");
        }
    }
}
