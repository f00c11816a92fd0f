//! Traces, by the operations of the API.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use plexus_api_model::{
    ApiError, ClientEvent, ErrorCode, Moment, NewTrace, Trace, TraceBy, TraceLog, TraceLogMeta,
    TraceLogQuery, TracePath, TraceStatus,
};
use plexus_broker::Watcher;
use plexus_runtime::unix_now;
use serde::Serialize;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{interval, sleep},
};

use super::live::{Messages, Seen, watched};
use crate::{
    Api,
    payload::shown_max,
    server::{Call, Reply, stopping},
    streams::Feed,
    traces::TraceFile,
};

type Answer<A> = Result<Reply<A>, ApiError>;

/// How long a trace records where nothing is said, and at the most.
const USUAL: Duration = Duration::from_mins(10);
const LONGEST: Duration = Duration::from_hours(24);
/// Bytes of payloads that are recorded where nothing is said.
const PAYLOAD_PART: usize = 1_024;
/// Bytes of a part that is read.
const PART: u64 = 65_536;
const PART_MAX: u64 = 1_048_576;
/// Lines are gathered for so long, or until there are so many bytes of them.
const GATHER: Duration = Duration::from_millis(500);
const GATHERED_MAX: usize = 256 * 1024;

pub(super) async fn begin(call: Call<(), (), NewTrace>) -> Answer<Trace> {
    let NewTrace { name, r#type, clientid, topic, ip_address, tenant, end_at, payload_max } =
        call.body;
    let api = call.api;
    let given = [
        ("clientid", TraceBy::Clientid, clientid.is_some()),
        ("topic", TraceBy::Topic, topic.is_some()),
        ("ip_address", TraceBy::IpAddress, ip_address.is_some()),
    ];
    for (name, by, is_given) in given {
        if (by == r#type) != is_given {
            let verb = if is_given { "leave it out" } else { "say which" };
            return Err(ApiError::bad(format!("{name}: {verb}, by the type of the trace")));
        }
    }
    let now = unix_now();
    let start_at = Moment::from_millis(now.as_millis());
    let latest = now + LONGEST;
    let end_at = end_at.unwrap_or_else(|| Moment::from_millis((now + USUAL).as_millis()));
    if end_at <= start_at || end_at.millis() > latest.as_millis() {
        return Err(ApiError::bad("end_at: within a day from now"));
    }
    let most = shown_max(payload_max, PAYLOAD_PART)?;
    let chosen = (topic.clone(), clientid.clone(), ip_address.clone(), tenant.clone());
    let (watch, next) = Messages::new(&api, chosen, true, most)?;
    let about = Trace {
        name,
        r#type,
        clientid,
        topic,
        ip_address,
        tenant,
        start_at,
        end_at,
        status: TraceStatus::Running,
        log_size: <_>::default(),
    };
    let of = Arc::clone(&api);
    let kept = api.runtime.compute(move || of.traces.begin(about)).await.ok_or_else(stopping)??;
    let watcher: Arc<dyn Watcher> = Arc::clone(&watch) as _;
    if let Err(error) = watched(&api, &watcher) {
        kept.close();
        return Err(error);
    }
    let told = kept.told(&api.about.name);
    let record = Record { api: Arc::clone(&api), kept, lines: Vec::new() };
    api.runtime.spawn(record.run(watch, next));
    Ok(told.into())
}

/// A trace while it records.
struct Record {
    api: Arc<Api>,
    kept: Arc<TraceFile>,
    lines: Vec<u8>,
}

#[derive(Serialize)]
struct Lost {
    at: Moment,
    lost: u64,
}

impl Record {
    async fn run(mut self, watch: Arc<Messages>, mut next: tokio::sync::mpsc::Receiver<Seen>) {
        let about = self.kept.about().clone();
        let mut events = self.api.chronicle.watch();
        let mut due = interval(GATHER);
        let left = about.end_at.millis().saturating_sub(unix_now().as_millis());
        let mut end = std::pin::pin!(sleep(Duration::from_millis(left)));
        let kept = Arc::clone(&self.kept);
        let wanted = |event: &ClientEvent| {
            let is =
                |wanted: &Option<String>, is: &Option<String>| wanted.is_some() && wanted == is;
            event.tenant == about.tenant
                && (is(&about.clientid, &event.clientid)
                    || is(&about.ip_address, &event.ip_address))
        };
        loop {
            tokio::select! {
                message = next.recv() => match message {
                    Some(message) => self.line(&watch.told(message)),
                    None => break,
                },
                event = events.recv() => match event {
                    Ok(event) if wanted(&event) => self.line(&*event),
                    Ok(_) => {}
                    Err(RecvError::Lagged(count)) => self.lost(count),
                    Err(RecvError::Closed) => break,
                },
                _ = due.tick() => {
                    match watch.take_lost() {
                        0 => {}
                        count => self.lost(count),
                    }
                    self.write().await;
                }
                () = &mut end => break,
                () = kept.ended() => break,
            }
            if self.lines.len() >= GATHERED_MAX {
                self.write().await;
            }
            if self.kept.is_closed() {
                break;
            }
        }
        // What was seen until now is not lost.
        while let Ok(message) = next.try_recv() {
            self.line(&watch.told(message));
        }
        self.write().await;
        self.kept.close();
    }

    fn line(&mut self, what: &impl Serialize) {
        // What is told is text and numbers: it can be written.
        if let Ok(line) = serde_json::to_vec(what) {
            self.lines.extend_from_slice(&line);
            self.lines.push(b'\n');
        }
    }

    fn lost(&mut self, lost: u64) {
        let at = Moment::from_millis(unix_now().as_millis());
        self.line(&Lost { at, lost });
    }

    async fn write(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        let (kept, lines) = (Arc::clone(&self.kept), std::mem::take(&mut self.lines));
        let written = self.api.runtime.compute(move || kept.append(&lines)).await;
        if written.is_none() {
            self.kept.close();
        }
    }
}

pub(super) async fn list(call: Call<(), (), ()>) -> Answer<Vec<Trace>> {
    let all = call.api.traces.all();
    Ok(all.iter().map(|kept| kept.told(&call.api.about.name)).collect::<Vec<_>>().into())
}

pub(super) async fn stop(call: Call<TracePath, (), ()>) -> Answer<Trace> {
    let kept = call.api.traces.get(&call.path.name)?;
    kept.end();
    Ok(kept.told(&call.api.about.name).into())
}

pub(super) async fn delete(call: Call<TracePath, (), ()>) -> Answer<()> {
    let (api, name) = (Arc::clone(&call.api), call.path.name);
    let deleted = call.api.runtime.compute(move || api.traces.delete(&name)).await;
    deleted.ok_or_else(stopping)??;
    Ok(().into())
}

pub(super) async fn log(call: Call<TracePath, TraceLogQuery, ()>) -> Answer<TraceLog> {
    let kept = call.api.traces.get(&call.path.name)?;
    let position = call.query.position.unwrap_or(0);
    let bytes = call.query.bytes.unwrap_or(PART);
    if !(1..=PART_MAX).contains(&bytes) {
        return Err(ApiError::bad(format!("bytes: {bytes} is not within 1 and {PART_MAX}")));
    }
    let part = part(&call.api, kept, position, bytes).await?;
    let bytes = part.len() as u64;
    let items = String::from_utf8_lossy(&part).into_owned();
    let meta = TraceLogMeta { position: position.saturating_add(bytes), bytes };
    Ok(TraceLog { items, meta }.into())
}

async fn part(
    api: &Api,
    kept: Arc<TraceFile>,
    position: u64,
    bytes: u64,
) -> Result<Vec<u8>, ApiError> {
    let read = api.runtime.compute(move || kept.part(position, bytes)).await;
    read.ok_or_else(stopping)?.map_err(|error| {
        tracing::error!(%error, "a trace cannot be read");
        let message = "the trace cannot be read: the log of the node says why";
        ApiError::new(ErrorCode::ServiceUnavailable, message)
    })
}

pub(super) fn download(
    call: Call<TracePath, (), ()>,
) -> Result<impl FnOnce(Feed) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + use<>, ApiError>
{
    let kept = call.api.traces.get(&call.path.name)?;
    let api = call.api;
    Ok(move |feed: Feed| -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let mut position = 0;
            // What has been written by now; more may follow while it is read.
            while let Ok(part) = part(&api, Arc::clone(&kept), position, PART).await {
                position += part.len() as u64;
                if part.is_empty() || !feed.may() || feed.raw(part).await.is_err() {
                    return;
                }
            }
        })
    })
}
