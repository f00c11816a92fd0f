//! The load: `plexus bench` as a child process, and what it says in the end.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::process::{LOOK, Process, Running};
use super::run::Interrupt;
use super::shapes::Shape;
use crate::command;
use crate::failure::{Failure, Outcome};

/// How long a run may take: a broker that hands out a message a second must not hold up the others.
const RUN_MAX: Duration = Duration::from_mins(5);

/// Who makes the load, and what is common to every run.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) plexus: std::path::PathBuf,
    pub(super) always: Vec<String>,
    pub(super) seconds: f64,
    pub(super) warm_up: f64,
}

impl Load {
    /// Puts the shape on the broker and yields the JSON of the run, also of one that went wrong.
    pub(super) fn put(
        &self,
        shape: &Shape,
        broker: &mut Running,
        interrupt: &Interrupt,
    ) -> Outcome<Value> {
        let [said, complained] = ["bench.json", "bench.err"].map(|name| broker.folder().join(name));
        let file = |path| fs::File::create(path).map_err(Failure::doing("the load"));
        let mut bench = command::program(&self.plexus, &["bench"]);
        let groups = broker.folder().join("groups.toml");
        if let Some(text) = &shape.groups {
            fs::write(&groups, text).map_err(Failure::doing(groups.display()))?;
        }
        let words = self.arguments(shape, &broker.url(), broker.pid());
        bench.args(words.iter().map(|word| word.replace("{groups}", &groups.to_string_lossy())));
        bench.stdin(Stdio::null()).stdout(file(&said)?).stderr(file(&complained)?);
        let child = bench.spawn().map_err(Failure::doing("`plexus bench` does not start"))?;
        self.wait(Process(child), interrupt)?;
        // What it exits with is for people; a run with losses has its JSON too.
        let json = fs::read_to_string(&said).map_err(Failure::doing(said.display()))?;
        let value = serde_json::from_str(&json);
        value.map_err(|_| {
            let words = fs::read_to_string(&complained).unwrap_or_default();
            let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no figures");
            Failure::new(last.trim().trim_start_matches("error: "))
        })
    }

    fn arguments(&self, shape: &Shape, url: &str, pid: u32) -> Vec<String> {
        let time = |seconds: f64| format!("{:.0}ms", seconds * 1_000.0);
        let (duration, warm_up, pid) = (time(self.seconds), time(self.warm_up), pid.to_string());
        let run = ["--duration", &duration, "--warm-up", &warm_up, "--pid", &pid];
        let told = ["--json", "--quiet", url];
        let words = run.into_iter().chain(told).map(str::to_owned);
        shape.bench.iter().chain(&self.always).cloned().chain(words).collect()
    }

    fn wait(&self, mut bench: Process, interrupt: &Interrupt) -> Outcome {
        let time = RUN_MAX + Duration::from_secs_f64(self.seconds + self.warm_up);
        for _ in 0..time.as_millis() / LOOK.as_millis() {
            let ended = bench.0.try_wait().map_err(Failure::doing("`plexus bench` is lost"))?;
            if ended.is_some() {
                return Ok(());
            }
            if interrupt.is_set() {
                return Err(Failure::new("ended early"));
            }
            thread::park_timeout(LOOK);
        }
        Err(Failure::new(format!("not done after {} s", time.as_secs())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::shapes::Shapes;

    #[test]
    fn the_scenario_stands_first_and_the_broker_last() {
        let page = "always = [\"-V\", \"311\"]\n[[shape]]\nname = \"a\"\ntext = \"A\"\n\
                    bench = [\"p2p\", \"-n\", \"5\"]\nfigures = []\n";
        let shapes = Shapes::parse(page).unwrap();
        let load = Load {
            plexus: "plexus".into(),
            always: shapes.always.clone(),
            seconds: 3.0,
            warm_up: 0.5,
        };
        let words = load.arguments(&shapes.shapes[0], "mqtt://127.0.0.1:1999", 42);
        assert_eq!(
            words.join(" "),
            "p2p -n 5 -V 311 --duration 3000ms --warm-up 500ms --pid 42 --json --quiet \
             mqtt://127.0.0.1:1999"
        );
    }
}
