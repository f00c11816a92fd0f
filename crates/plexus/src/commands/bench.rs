//! `plexus bench`: from the command line to a run, and from its summary to the terminal.

mod args;
mod show;
mod spoken;

use std::{fs, io, net::IpAddr};

use clap::CommandFactory;
use plexus_bench::{
    Director,
    limits::{Limits, check_process},
    mixed::{Frame, mixed},
    plan::{Plan, Workload},
    record::Asked,
    summary::Summary,
};
use plexus_net::Target;
use plexus_pubsub::client::{
    driver::{Driver, Happening},
    interrupt::Interrupt,
    url::{ServerUrl, WrittenUrl},
};
use plexus_session::ClientOptions;
use plexus_terminal::{Failure, print};
use plexus_types::{Instant, Text};

pub(crate) use self::args::BenchCommand;
use self::{args::RunArgs, show::Viewer};
use crate::{cli::Cli, machine};

pub(crate) fn run(command: &BenchCommand) -> Result<(), Failure> {
    let args = command.run_args();
    let mut seed = machine::seed()?;
    let name = format!("{:05x}", seed.next_u64() >> 44);
    let workload = workload(command, &name)?;
    workload.check().map_err(|error| Failure::Usage(error.to_string()))?;
    args.pid.map_or(Ok(()), named_process)?;
    let url = url(args)?;
    let endpoint = args.server.endpoint(url)?;
    let options = args.options(url)?;
    let is_unix = endpoint.transport == plexus_net::Transport::Unix;
    let sources: &[IpAddr] = if is_unix { &[] } else { args.sources() };
    Limits::of_machine()
        .check(&workload, (!is_unix).then_some(sources))
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let asked = Asked {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: endpoint.to_string(),
        command_line: spoken::command_line(
            Cli::command(),
            std::env::args_os(),
            &endpoint.to_string(),
        ),
    };
    let layers = endpoint.layers();
    let id = format!("bench-{name}-first");
    let place = first_connection(Driver::new(endpoint, introduced(&options, &id)?)?)?;
    let cores = machine::machine().cores;
    let workers = args.workers.unwrap_or(cores).min(largest(&workload));
    let plan = Plan {
        workload,
        place,
        layers,
        options,
        sources: sources.to_vec(),
        workers: workers.max(1),
        connect_rate: args.connect_rate,
        connecting_max: args.connecting,
        reconnect: args.reconnect,
        patience: args.patience.get(),
        seed,
        asked,
        broker: args.pid,
    };
    let mut viewer = Viewer::new(args)?;
    let failed = |error: io::Error| Failure::because("the run failed", &error);
    let director = Director::new(plan).map_err(failed)?;
    viewer.watch(Interrupt::listen(director.waker())?);
    let summary = director.run(&mut viewer).map_err(failed)?;
    // What stands on the terminal stays there; the summary comes below.
    drop(viewer);
    report(args, &summary)
}

fn workload(command: &BenchCommand, name: &str) -> Result<Workload, Failure> {
    let BenchCommand::Mixed(args) = command else {
        let recipe = command.recipe(name)?;
        let is_v5 = command.run_args().server.version().is_v5();
        if !recipe.user_properties.is_empty() && !is_v5 {
            let message = "user properties need MQTT 5.0; leave out --user-property, or -V";
            return Err(Failure::Usage(message.to_owned()));
        }
        return recipe.workload().map_err(|error| Failure::Usage(error.to_string()));
    };
    let path = args.file.display();
    let text = fs::read_to_string(&args.file)
        .map_err(|error| Failure::because(format_args!("cannot read {path}"), &error))?;
    let frame = Frame {
        warm_up: args.run.warm_up.get(),
        time: args.run.duration.get(),
        run: name.to_owned(),
        first: args.run.first,
        session_expiry: args.run.session_expiry(),
        version: args.run.server.version(),
    };
    mixed(&text, &frame).map_err(|error| Failure::Usage(format!("{path}: {error}")))
}

/// A process of which nothing can be read would be left out of the report without a word.
fn named_process(pid: u32) -> Result<(), Failure> {
    check_process(pid).map_err(|error| {
        Failure::Usage(match error.kind() {
            io::ErrorKind::NotFound => {
                format!("--pid {pid}: there is no such process on this machine")
            }
            _ => format!("--pid {pid}: the process cannot be read: {error}"),
        })
    })
}

fn url(args: &RunArgs) -> Result<Option<&ServerUrl>, Failure> {
    match &args.url {
        None => Ok(None),
        Some(WrittenUrl(Err(error))) => Err(Failure::Usage(error.to_string())),
        Some(WrittenUrl(Ok(url))) if url.path.is_some() && !url.transport.is_websocket() => {
            Err(Failure::Usage("the URL names a topic; write --topic for it".to_owned()))
        }
        Some(WrittenUrl(Ok(url))) => Ok(Some(url)),
    }
}

/// More threads than clients that do something have nothing to do.
fn largest(workload: &Workload) -> usize {
    let counts = workload.groups.iter().map(|group| group.count);
    counts.max().map_or(1, |count| count as usize)
}

fn introduced(options: &ClientOptions, id: &str) -> Result<ClientOptions, Failure> {
    let client_id = Text::try_from(id).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(ClientOptions { client_id, ..options.clone() })
}

/// Connects once, as the other commands do: whoever cannot be reached, or refuses, is told in their
/// words before thousands of clients fail. Where that led is where all connect to.
fn first_connection(mut driver: Driver) -> Result<Target, Failure> {
    loop {
        match driver.next(Instant::FAR_FUTURE)? {
            Some(Happening::Up(_)) => {
                let target = driver.target();
                driver.finish(None)?;
                let gone = || Failure::Failed("the broker closed the first connection".to_owned());
                return target.ok_or_else(gone);
            }
            Some(Happening::Down { down, .. }) => {
                return Err(down.failure(driver.client.options()));
            }
            Some(_) | None => {}
        }
    }
}

fn report(args: &RunArgs, summary: &Summary) -> Result<(), Failure> {
    if let Some(path) = &args.csv {
        fs::write(path, summary.csv()).map_err(|error| {
            Failure::because(format_args!("cannot write {}", path.display()), &error)
        })?;
    }
    if args.json {
        let json = serde_json::to_string_pretty(summary)
            .map_err(|error| Failure::because("cannot write JSON", &error))?;
        print(&format!("{json}\n"))?;
    } else {
        print(&summary.to_string())?;
    }
    if summary.is_success() {
        return Ok(());
    }
    Err(Failure::Failed(format!("the run is no success: {}", summary.failures.join(", "))))
}
