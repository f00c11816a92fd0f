//! What carries operations out. Who asks has been found out, and may.

mod access;
mod accounts;
mod backup;
mod clients;
mod configuration;
mod explain;
mod live;
mod messages;
mod node;
mod people;
mod prometheus;
mod rules;
mod sessions;
mod slow;
mod topic_metrics;
mod topics;
mod traces;

use std::{collections::BTreeSet, sync::Arc};

use axum::Router;
use plexus_api_model::operations as op;

use crate::{Api, server::Mounted};

pub(crate) use self::{
    node::{Meter, is_ready},
    prometheus::own,
    slow::SlowClients,
    topic_metrics::TopicCounts,
};

/// Every operation with what carries it out, and the names of those that are mounted.
pub(crate) fn all() -> (Router<Arc<Api>>, BTreeSet<&'static str>) {
    measured(of_access(Mounted::new()))
        .on(&op::LOGIN, people::log_in)
        .on(&op::LOGOUT, people::log_out)
        .on(&op::LIST_USERS, people::users)
        .on(&op::CREATE_USER, people::create_user)
        .on(&op::UPDATE_USER, people::update_user)
        .on(&op::DELETE_USER, people::delete_user)
        .on(&op::CHANGE_PASSWORD, people::change_password)
        .on(&op::BEGIN_MFA, people::begin_mfa)
        .on(&op::CONFIRM_MFA, people::confirm_mfa)
        .on(&op::END_MFA, people::end_mfa)
        .on(&op::LIST_API_KEYS, people::keys)
        .on(&op::CREATE_API_KEY, people::create_key)
        .on(&op::GET_API_KEY, people::key)
        .on(&op::UPDATE_API_KEY, people::update_key)
        .on(&op::DELETE_API_KEY, people::delete_key)
        .on(&op::STATUS, node::status)
        .on(&op::LIST_NODES, node::nodes)
        .on(&op::STATS, node::stats)
        .on(&op::METRICS, node::metrics)
        .on(&op::MONITOR_CURRENT, node::rates)
        .on(&op::MONITOR, node::monitor)
        .on(&op::PROMETHEUS, prometheus::as_emqx)
        .on(&op::LIST_LISTENERS, node::listeners)
        .on(&op::LIST_ALARMS, node::alarms)
        .on(&op::LIST_CLIENTS, clients::list)
        .on(&op::GET_CLIENT, clients::get)
        .on(&op::KICK_CLIENT, clients::kick)
        .on(&op::KICK_CLIENTS, clients::kick_all)
        .on(&op::CLIENT_SUBSCRIPTIONS, clients::subscriptions_of)
        .on(&op::LIST_SUBSCRIPTIONS, clients::subscriptions)
        .on(&op::SUBSCRIBE_CLIENT, sessions::subscribe)
        .on(&op::SUBSCRIBE_CLIENT_BULK, sessions::subscribe_all)
        .on(&op::UNSUBSCRIBE_CLIENT, sessions::unsubscribe)
        .on(&op::UNSUBSCRIBE_CLIENT_BULK, sessions::unsubscribe_all)
        .on(&op::CLIENT_QUEUE, sessions::queue)
        .on(&op::CLIENT_INFLIGHT, sessions::inflight)
        .on(&op::LIST_TOPICS, topics::routes)
        .on(&op::TOPIC_TREE, topics::tree)
        .on(&op::GET_TOPIC, topics::route)
        .on(&op::LIST_RETAINED, topics::retained)
        .on(&op::GET_RETAINED, topics::get_retained)
        .on(&op::DELETE_RETAINED, topics::delete_retained)
        .on(&op::EXPLAIN_PUBLISH, explain::publish)
        .on(&op::EXPLAIN_ACCESS, explain::access)
        .on(&op::EXPLAIN_CLIENT, explain::client)
        .stream(&op::LIVE_MESSAGES, live::messages)
        .stream(&op::LIVE_TOPICS, live::topics)
        .stream(&op::LIVE_EVENTS, live::events)
        .on(&op::GET_CONFIGS, configuration::effective)
        .on(&op::CHANGE_CONFIGS, configuration::change)
        .on(&op::CONFIG_CHANGES, configuration::changes)
        .on(&op::CONFIG_HISTORY, configuration::history)
        .on(&op::ROLL_BACK_CONFIGS, configuration::roll_back)
        .on(&op::LIST_TRACES, traces::list)
        .on(&op::BEGIN_TRACE, traces::begin)
        .on(&op::STOP_TRACE, traces::stop)
        .on(&op::DELETE_TRACE, traces::delete)
        .on(&op::TRACE_LOG, traces::log)
        .stream(&op::DOWNLOAD_TRACE, traces::download)
        .on(&op::PUBLISH, messages::publish)
        .on(&op::PUBLISH_BULK, messages::publish_bulk)
        .done()
}

/// What is measured because somebody asked for it, and what is kept elsewhere.
fn measured(mounted: Mounted) -> Mounted {
    mounted
        .on(&op::EXPORT_DATA, backup::export)
        .on(&op::IMPORT_DATA, backup::import)
        .on(&op::LIST_TOPIC_METRICS, topic_metrics::list)
        .on(&op::COUNT_TOPIC, topic_metrics::count)
        .on(&op::RESET_TOPIC_METRICS, topic_metrics::reset)
        .on(&op::GET_TOPIC_METRICS, topic_metrics::get)
        .on(&op::DELETE_TOPIC_METRICS, topic_metrics::delete)
        .on(&op::LIST_SLOW, slow::list)
        .on(&op::CLEAR_SLOW, slow::clear)
        .on(&op::SLOW_SETTINGS, slow::settings)
        .on(&op::SET_SLOW_SETTINGS, slow::set)
}

/// Who comes in, and who may do what.
fn of_access(mounted: Mounted) -> Mounted {
    mounted
        .on(&op::LIST_AUTHENTICATORS, accounts::authenticators)
        .on(&op::GET_AUTHENTICATOR, accounts::authenticator)
        .on(&op::LIST_ACCOUNTS, accounts::list)
        .on(&op::CREATE_ACCOUNT, accounts::create)
        .on(&op::GET_ACCOUNT, accounts::get)
        .on(&op::UPDATE_ACCOUNT, accounts::update)
        .on(&op::DELETE_ACCOUNT, accounts::delete)
        .on(&op::IMPORT_ACCOUNTS, accounts::import)
        .on(&op::LIST_RULE_SOURCES, rules::sources)
        .on(&op::LIST_RULES, rules::list)
        .on(&op::ADD_RULES, rules::add)
        .on(&op::GET_RULES, rules::get)
        .on(&op::SET_RULES, rules::set)
        .on(&op::DELETE_RULES, rules::delete)
        .on(&op::GET_RULES_OF_ALL, rules::of_all)
        .on(&op::SET_RULES_OF_ALL, rules::set_of_all)
        .on(&op::DELETE_RULES_OF_ALL, rules::delete_of_all)
        .on(&op::LIST_BANNED, access::banned)
        .on(&op::BAN, access::ban)
        .on(&op::UNBAN, access::unban)
        .on(&op::UNBAN_ALL, access::unban_all)
        .on(&op::LIST_AUDIT, access::audit)
}

#[cfg(test)]
mod tests {
    use plexus_api_model::operations;

    #[test]
    fn every_operation_is_mounted() {
        let (_, mounted) = super::all();
        for operation in operations::ALL {
            let name = operation.outline().id;
            assert!(mounted.contains(name), "nothing carries {name} out");
        }
    }
}
