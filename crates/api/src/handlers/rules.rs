//! Rules of single users and clients, and of everybody, that are changed here.

use plexus_accounts::Whose;
use plexus_api_model::{
    ApiError, ErrorCode, NamedRulesPath, Page, RuleSource, RuleSources, RuleWhom, RulesOfAll,
    RulesOfOne, RulesPath, RulesQuery, TenantQuery,
};

use super::{access::changed, accounts::told};
use crate::{
    Api,
    lists::Wanted,
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

pub(super) async fn sources(call: Call<(), (), ()>) -> Answer<RuleSources> {
    let accounts = call.api.accounts.as_ref();
    let own = RuleSource {
        r#type: "built_in_database".to_owned(),
        enable: accounts.is_some_and(|accounts| accounts.roster().is_asked()),
        subjects: Some(accounts.map_or(0, |accounts| accounts.subjects() as u64)),
    };
    let file = RuleSource { r#type: "file".to_owned(), enable: true, subjects: None };
    Ok(RuleSources { sources: vec![own, file] }.into())
}

fn of_one(whom: RuleWhom, name: String, rules: RulesOfOne) -> RulesOfOne {
    match whom {
        RuleWhom::Users => RulesOfOne { username: Some(name), ..rules },
        RuleWhom::Clients => RulesOfOne { clientid: Some(name), ..rules },
    }
}

/// Nobody has any.
fn blank(tenant: Option<String>) -> RulesOfOne {
    RulesOfOne { username: None, clientid: None, tenant, rules: Vec::new() }
}

/// Whose they are by what stands in a body; `path` is who is named in the path.
fn named(
    api: &Api,
    whom: RuleWhom,
    body: &RulesOfOne,
    (path, query): (Option<&String>, &TenantQuery),
) -> Result<Whose, ApiError> {
    let (key, named, other) = match whom {
        RuleWhom::Users => ("username", &body.username, &body.clientid),
        RuleWhom::Clients => ("clientid", &body.clientid, &body.username),
    };
    if other.is_some() {
        return Err(ApiError::bad(format!(
            "{key}: rules are of a user or of a client, not of both"
        )));
    }
    if let (Some(named), Some(path)) = (named, path)
        && named != path
    {
        return Err(ApiError::bad(format!("{key}: it differs from the one in the path")));
    }
    let name = named.as_ref().or(path);
    let name = name.ok_or_else(|| ApiError::bad(format!("{key}: whose rules are they?")))?;
    let tenant = api.one_tenant(body.tenant.as_ref(), query.tenant.as_ref())?;
    Ok(Whose { tenant, of: Some((whom, name.clone())) })
}

pub(super) async fn list(call: Call<RulesPath, RulesQuery, ()>) -> Answer<Page<RulesOfOne>> {
    let RulesQuery { page, limit, like_username, like_clientid, tenant } = call.query;
    let mut picked = Wanted::new(page, limit, None)?.pick();
    let whom = call.path.whom;
    let (like, other) = match whom {
        RuleWhom::Users => (like_username, like_clientid),
        RuleWhom::Clients => (like_clientid, like_username),
    };
    if other.is_some() {
        return Err(ApiError::bad("like_username is for users, like_clientid for clients"));
    }
    let known = call.api.tenant(tenant.as_ref())?;
    let Some(accounts) = call.api.accounts.clone() else { return Ok(picked.done().into()) };
    // There may be a million.
    let page = changed(&call.api, move || {
        accounts.walk_rules(known.as_ref(), whom, |name, rules| {
            if like.as_ref().is_none_or(|like| name.contains(like.as_str())) {
                let one = || RulesOfOne { rules: rules.clone(), ..blank(tenant.clone()) };
                picked.see(|| of_one(whom, name.to_owned(), one()));
            }
        });
        Ok(picked.done())
    });
    Ok(page.await?.into())
}

pub(super) async fn add(call: Call<RulesPath, TenantQuery, Vec<RulesOfOne>>) -> Answer<()> {
    let accounts = call.api.accounts_to_change()?;
    let mut new = Vec::with_capacity(call.body.len());
    for (index, body) in call.body.into_iter().enumerate() {
        let whose = named(&call.api, call.path.whom, &body, (None, &call.query));
        let whose = whose.map_err(|error| at(index, &error))?;
        new.push((whose, body.rules));
    }
    let added = changed(&call.api, move || accounts.add_rules(new).map_err(told));
    Ok(added.await?.into())
}

fn at(index: usize, error: &ApiError) -> ApiError {
    ApiError::bad(format!("[{index}]: {}", error.message))
}

pub(super) async fn get(call: Call<NamedRulesPath, TenantQuery, ()>) -> Answer<RulesOfOne> {
    let (NamedRulesPath { whom, name }, tenant) = (call.path, call.query.tenant);
    let known = call.api.tenant(tenant.as_ref())?;
    let whose = Whose { tenant: known, of: Some((whom, name.clone())) };
    let rules = call.api.accounts.as_ref().and_then(|accounts| accounts.rules(&whose));
    let rules = rules.ok_or_else(|| nothing(&whose))?;
    Ok(of_one(whom, name, RulesOfOne { rules, ..blank(tenant) }).into())
}

fn nothing(whose: &Whose) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no list of rules of {whose}"))
}

pub(super) async fn set(call: Call<NamedRulesPath, TenantQuery, RulesOfOne>) -> Answer<()> {
    let accounts = call.api.accounts_to_change()?;
    let NamedRulesPath { whom, name } = call.path;
    let body = call.body;
    let whose = named(&call.api, whom, &body, (Some(&name), &call.query))?;
    let set = changed(&call.api, move || accounts.set_rules(whose, body.rules).map_err(told));
    Ok(set.await?.into())
}

pub(super) async fn delete(call: Call<NamedRulesPath, TenantQuery, ()>) -> Answer<()> {
    let accounts = call.api.accounts_to_change()?;
    let tenant = call.api.tenant(call.query.tenant.as_ref())?;
    let whose = Whose { tenant, of: Some((call.path.whom, call.path.name)) };
    let removed = changed(&call.api, move || accounts.remove_rules(whose).map_err(told));
    Ok(removed.await?.into())
}

pub(super) async fn of_all(call: Call<(), TenantQuery, ()>) -> Answer<RulesOfAll> {
    let tenant = call.query.tenant;
    let whose = Whose { tenant: call.api.tenant(tenant.as_ref())?, of: None };
    let rules = call.api.accounts.as_ref().and_then(|accounts| accounts.rules(&whose));
    Ok(RulesOfAll { tenant, rules: rules.unwrap_or_default() }.into())
}

pub(super) async fn set_of_all(call: Call<(), TenantQuery, RulesOfAll>) -> Answer<()> {
    let accounts = call.api.accounts_to_change()?;
    let RulesOfAll { tenant, rules } = call.body;
    let tenant = call.api.one_tenant(tenant.as_ref(), call.query.tenant.as_ref())?;
    let whose = Whose { tenant, of: None };
    let set = changed(&call.api, move || accounts.set_rules(whose, rules).map_err(told));
    Ok(set.await?.into())
}

pub(super) async fn delete_of_all(call: Call<(), TenantQuery, ()>) -> Answer<()> {
    let accounts = call.api.accounts_to_change()?;
    let whose = Whose { tenant: call.api.tenant(call.query.tenant.as_ref())?, of: None };
    let removed = changed(&call.api, move || accounts.remove_rules(whose).map_err(told));
    Ok(removed.await?.into())
}
