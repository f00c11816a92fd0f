//! How it looks: lines of text, made from what is shown and from the size of the terminal.

use std::collections::VecDeque;

use plexus_api_model::Client;

use super::{board::Board, watch::CLIENTS_MAX};
use crate::{
    shown::plain,
    table::{Side, cut, pad},
    units::{bytes, maybe, number, span},
};

/// How a line stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    /// Titles.
    Bold,
    /// What is selected, and the first line.
    Reverse,
    /// What somebody should look at.
    Alarm,
}

/// A line of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) style: Style,
}

/// Alarms that are shown.
const ALARMS: usize = 3;

/// The whole screen: no more lines than there are, and none wider.
pub(super) fn lines(board: &Board, height: usize, width: usize) -> Vec<Line> {
    let mut lines = head(board);
    lines.extend(alarms(board));
    lines.push(Line { text: String::new(), style: Style::Plain });
    lines.push(Line { text: row(&TITLES, width), style: Style::Bold });
    let room = height.saturating_sub(lines.len() + 1);
    lines.extend(clients(board, room, width));
    lines.truncate(height.saturating_sub(1));
    while lines.len() + 1 < height {
        lines.push(Line { text: String::new(), style: Style::Plain });
    }
    lines.push(foot(board));
    lines.truncate(height);
    for line in &mut lines {
        line.text = pad(&cut(&line.text, width), width, Side::Left);
    }
    lines
}

fn head(board: &Board) -> Vec<Line> {
    let snapshot = &board.snapshot;
    let rates = &snapshot.rates;
    let sum = |of: fn(&plexus_api_model::NodeState) -> u64| snapshot.nodes.iter().map(of).sum();
    let names: Vec<_> = snapshot.nodes.iter().map(|node| plain(&node.node)).collect();
    let first = snapshot.nodes.first();
    let title = format!(
        "plexus {}  {}  {}  up {}",
        first.map(|node| plain(&node.version)).unwrap_or_default(),
        names.join(", "),
        plain(&board.address),
        span(first.map_or(0, |node| node.uptime)),
    );
    let texts = [
        format!(
            "Connected {:>11}   Sessions {:>10}   Subscriptions {:>10}",
            number(rates.live_connections),
            number(rates.connections),
            number(rates.subscriptions)
        ),
        format!(
            "Queued    {:>11}   Retained {:>10}   Memory {} ({} own)",
            number(rates.queued),
            number(rates.retained_msg_count),
            bytes(sum(|node| node.memory_used)),
            bytes(sum(|node| node.memory_heap)),
        ),
        flow("In  ", rates.received_msg_rate, rates.received_bytes_rate, &board.received),
        flow("Out ", rates.sent_msg_rate, rates.sent_bytes_rate, &board.sent),
    ];
    let mut lines = vec![Line { text: title, style: Style::Reverse }];
    lines.extend(texts.map(|text| Line { text, style: Style::Plain }));
    let style = if rates.dropped_msg_rate > 0 { Style::Alarm } else { Style::Plain };
    let dropped = number(rates.dropped_msg_rate);
    lines.push(Line { text: format!("Dropped   {dropped:>11}/s"), style });
    lines
}

fn flow(name: &str, messages: u64, octets: u64, trend: &VecDeque<u64>) -> String {
    format!("{name}      {:>11}/s {:>12}/s  {}", number(messages), bytes(octets), bars(trend))
}

/// A bar for each number, the highest for the largest of them.
fn bars(trend: &VecDeque<u64>) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = u128::from(trend.iter().copied().max().unwrap_or_default().max(1));
    // The newest stand at the left: where the terminal is narrow the oldest are cut off.
    let places = trend.iter().rev().map(|rate| u128::from(*rate) * 7 / most);
    places.filter_map(|place| BARS.get(usize::try_from(place).ok()?)).collect()
}

fn alarms(board: &Board) -> Vec<Line> {
    let alarms = &board.snapshot.alarms;
    let mut lines: Vec<_> = alarms
        .iter()
        .take(ALARMS)
        .map(|alarm| {
            let text = format!("Alarm {}: {}", plain(&alarm.name), plain(&alarm.message));
            Line { text, style: Style::Alarm }
        })
        .collect();
    if let more @ 1.. = alarms.len().saturating_sub(ALARMS) {
        let text = format!("and {more} further alarms: plexus ctl alarms");
        lines.push(Line { text, style: Style::Alarm });
    }
    lines
}

const TITLES: [&str; 6] = ["CLIENT", "USER", "ADDRESS", "QUEUED", "INFLIGHT", "SUBS"];

/// Numbers, and what stands between columns.
const NUMBER: usize = 9;
const GAPS: usize = 5;

/// The cells of a line: three columns of words share what three of numbers leave.
fn row(cells: &[&str; 6], width: usize) -> String {
    let words = width.saturating_sub(3 * NUMBER + GAPS);
    let (user, address) = (words / 4, (words * 3 / 8).min(39));
    let widths = [words.saturating_sub(user + address), user, address, NUMBER, NUMBER, NUMBER];
    let sides = [Side::Left, Side::Left, Side::Left, Side::Right, Side::Right, Side::Right];
    let cells = cells.iter().zip(widths).zip(sides);
    let cells: Vec<_> =
        cells.map(|((cell, width), side)| pad(&cut(cell, width), width, side)).collect();
    cells.join(" ")
}

fn clients(board: &Board, room: usize, width: usize) -> Vec<Line> {
    let clients = &board.snapshot.clients;
    // What is selected is in sight.
    let first = (board.selected + 1).saturating_sub(room);
    let shown = clients.iter().enumerate().skip(first).take(room);
    shown
        .map(|(place, client)| Line {
            text: client_row(client, width),
            style: if place == board.selected { Style::Reverse } else { Style::Plain },
        })
        .collect()
}

fn client_row(client: &Client, width: usize) -> String {
    let mut name = plain(&client.clientid);
    if let Some(tenant) = &client.tenant {
        name = format!("{}/{name}", plain(tenant));
    }
    let address =
        if client.connected { maybe(client.ip_address.as_ref()) } else { "away".to_owned() };
    let mut queued = number(client.mqueue_len);
    if client.is_congested {
        queued.push('!');
    }
    let cells = [
        name,
        plain(&maybe(client.username.as_ref())),
        plain(&address),
        queued,
        number(client.inflight_cnt),
        number(client.subscriptions_cnt),
    ];
    row(&cells.each_ref().map(String::as_str), width)
}

fn foot(board: &Board) -> Line {
    if let Some(error) = &board.error {
        let error = error.lines().next().unwrap_or_default();
        return Line { text: plain(error), style: Style::Alarm };
    }
    let search = plain(&board.search);
    if board.is_typing {
        return Line { text: format!("/{search}_"), style: Style::Bold };
    }
    let mut text = format!("q end  s order: {}  / search", board.order.word());
    if !search.is_empty() {
        text = format!("{text}: {search}");
    }
    let count = number(board.snapshot.clients.len() as u64);
    text = if board.snapshot.is_cut {
        format!("{text}  (of more than {} clients, the first)", number(CLIENTS_MAX))
    } else {
        format!("{text}  ({count} clients)")
    };
    Line { text, style: Style::Bold }
}
