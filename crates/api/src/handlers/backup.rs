//! What was made by the API, kept elsewhere and brought back.

use std::sync::Arc;

use plexus_accounts::{Hashed, Whose};
use plexus_api_model::{
    ApiError, Backup, ConfigKey, ConfigPatch, ErrorCode, Moment, RestoreQuery, Restored, RuleWhom,
    RulesOfAll, RulesOfOne, StoredAccount,
};
use plexus_runtime::unix_now;

use super::accounts::told;
use crate::{
    Api,
    server::{Call, Reply, stopping},
};

type Answer<A> = Result<Reply<A>, ApiError>;

/// The version of the form.
const VERSION: u32 = 1;

pub(super) async fn export(call: Call<(), (), ()>) -> Answer<Backup> {
    let api = Arc::clone(&call.api);
    let made = call.api.runtime.compute(move || backup(&api));
    Ok(made.await.ok_or_else(stopping)??.into())
}

fn backup(api: &Api) -> Result<Backup, ApiError> {
    let changes = api.configuration.changes()?.changes.into_iter();
    let keys = changes.map(|change| ConfigKey { key: change.key, value: change.value });
    let mut made = Backup {
        version: VERSION,
        node: api.about.name.clone(),
        made_at: Some(Moment::from_millis(unix_now().as_millis())),
        configuration: keys.collect(),
        accounts: Vec::new(),
        rules: Vec::new(),
        rules_of_all: Vec::new(),
        bans: api.bans.all(unix_now()),
        people: Some(api.people.stored_book()?),
    };
    let Some(accounts) = &api.accounts else { return Ok(made) };
    for tenant in accounts.roster().tenants() {
        let name = tenant.as_ref().map(|tenant| tenant.as_str().to_owned());
        accounts.roster().walk(tenant.as_ref(), |user_id, user| {
            let (user_id, tenant, stored) = (user_id.to_owned(), name.clone(), user.to_string());
            made.accounts.push(StoredAccount { user_id, tenant, stored });
        });
    }
    accounts.walk_all_rules(|whose, rules| {
        let tenant = whose.tenant.as_ref().map(|tenant| tenant.as_str().to_owned());
        let rules = rules.clone();
        match &whose.of {
            None => made.rules_of_all.push(RulesOfAll { tenant, rules }),
            Some((whom, name)) => {
                let name = Some(name.clone());
                let (username, clientid) = match whom {
                    RuleWhom::Users => (name, None),
                    RuleWhom::Clients => (None, name),
                };
                made.rules.push(RulesOfOne { username, clientid, tenant, rules });
            }
        }
    });
    Ok(made)
}

pub(super) async fn import(call: Call<(), RestoreQuery, Backup>) -> Answer<Restored> {
    let (by, replace) = (call.caller()?.told(), call.query.replace.unwrap_or(false));
    if call.body.version != VERSION {
        let message = format!("version: {} is not known, but {VERSION}", call.body.version);
        return Err(ApiError::bad(message));
    }
    let (api, backup) = (Arc::clone(&call.api), call.body);
    // What people are there is another's business than what they have made.
    let (people, left) = match &backup.people {
        Some(people) => call.api.people.merge(people.clone(), replace).await?,
        None => (0, 0),
    };
    let restored = call.api.runtime.compute(move || {
        let mut restored = Restored { people, left, ..Restored::default() };
        restore(&api, backup, (&by, replace), &mut restored)?;
        Ok(restored)
    });
    let restored: Result<_, ApiError> = restored.await.ok_or_else(stopping)?;
    Ok(restored?.into())
}

/// The configuration comes first: it may switch on what the rest needs.
fn restore(
    api: &Api,
    backup: Backup,
    (by, replace): (&str, bool),
    restored: &mut Restored,
) -> Result<(), ApiError> {
    let part = |part: &str, error: ApiError| {
        ApiError::new(
            error.code,
            format!("{part}: {} (what came before it was taken)", error.message),
        )
    };
    if !backup.configuration.is_empty() {
        let outcome = restore_keys(api, backup.configuration, (by, replace), restored);
        outcome.map_err(|error| part("configuration", error))?;
    }
    if !(backup.accounts.is_empty() && backup.rules.is_empty() && backup.rules_of_all.is_empty()) {
        restore_accounts(api, backup.accounts, replace, restored)
            .map_err(|error| part("accounts", error))?;
        restore_rules(api, (backup.rules, backup.rules_of_all), replace, restored)
            .map_err(|error| part("rules", error))?;
    }
    for ban in backup.bans {
        match api.bans.add(unix_now(), ban, |bans| api.ban_by_api(bans)) {
            Ok(()) => restored.bans += 1,
            Err(error) if error.code == ErrorCode::AlreadyExists => restored.left += 1,
            Err(error) => return Err(part("bans", error)),
        }
    }
    Ok(())
}

fn restore_keys(
    api: &Api,
    mut keys: Vec<ConfigKey>,
    (by, replace): (&str, bool),
    restored: &mut Restored,
) -> Result<(), ApiError> {
    let now = api.configuration.changes()?;
    let before = keys.len();
    let is_there = |key: &ConfigKey| now.changes.iter().any(|change| change.key == key.key);
    let is_same = |key: &ConfigKey| {
        now.changes.iter().any(|change| change.key == key.key && change.value == key.value)
    };
    keys.retain(|key| if replace { !is_same(key) } else { !is_there(key) });
    restored.left += (before - keys.len()) as u64;
    if keys.is_empty() {
        return Ok(());
    }
    restored.configuration = keys.len() as u64;
    let why = "brought back from a backup".to_owned();
    let patch = ConfigPatch { version: now.version, patch: None, keys, why };
    restored.waits = api.configuration.change(patch, by, false)?.waits;
    Ok(())
}

fn restore_accounts(
    api: &Api,
    all: Vec<StoredAccount>,
    replace: bool,
    restored: &mut Restored,
) -> Result<(), ApiError> {
    let accounts = api.accounts_to_change()?;
    let mut tenants = std::collections::BTreeMap::<_, Vec<Hashed>>::new();
    for (index, StoredAccount { user_id, tenant, stored }) in all.into_iter().enumerate() {
        // What is of a tenant that the node does not have is left out.
        let tenant = api.tenant(tenant.as_ref()).ok();
        let Some(tenant) = tenant
            .filter(|tenant| replace || !accounts.roster().contains(tenant.as_ref(), &user_id))
        else {
            restored.left += 1;
            continue;
        };
        let user = stored.parse().map_err(|error| {
            ApiError::bad(format!("[{index}] (`{user_id}`): the password {error}"))
        })?;
        tenants.entry(tenant).or_default().push(Hashed { name: user_id, user });
    }
    for (tenant, users) in tenants {
        for users in users.chunks(10_000) {
            let added = accounts.add_users(tenant.as_ref(), users.to_vec(), replace);
            restored.accounts += added.map_err(told)? as u64;
        }
    }
    Ok(())
}

fn restore_rules(
    api: &Api,
    (named, of_all): (Vec<RulesOfOne>, Vec<RulesOfAll>),
    replace: bool,
    restored: &mut Restored,
) -> Result<(), ApiError> {
    let accounts = api.accounts_to_change()?;
    let named = named.into_iter().map(|one| {
        let RulesOfOne { username, clientid, tenant, rules } = one;
        let of = match (username, clientid) {
            (Some(name), None) => Some((RuleWhom::Users, name)),
            (None, Some(name)) => Some((RuleWhom::Clients, name)),
            _ => return Err(ApiError::bad("rules are of a user or of a client")),
        };
        Ok((of, tenant, rules))
    });
    let of_all = of_all.into_iter().map(|all| Ok((None, all.tenant, all.rules)));
    let mut lists = Vec::new();
    for list in named.chain(of_all) {
        let (of, tenant, rules) = list?;
        let tenant = api.tenant(tenant.as_ref()).ok();
        let whose = tenant.map(|tenant| Whose { tenant, of });
        match whose.filter(|whose| replace || accounts.rules(whose).is_none()) {
            Some(whose) => lists.push((whose, rules)),
            None => restored.left += 1,
        }
    }
    restored.rules = lists.len() as u64;
    accounts.set_all_rules(lists).map_err(told)
}
