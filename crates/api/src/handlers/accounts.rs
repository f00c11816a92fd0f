//! Users whom clients log in as.

use std::sync::Arc;

use plexus_access::{PasswordScheme, StoredPassword, User};
use plexus_accounts::{Accounts, AccountsError, Hashed};
use plexus_admission::Roster;
use plexus_api_model::{
    Account, AccountImport, AccountPath, AccountQuery, AccountUpdate, AccountsAuthenticator,
    AccountsImported, ApiError, AuthenticatorPath, ErrorCode, NewAccount, Page, TenantQuery,
};
use plexus_types::TenantName;

use super::access::changed;
use crate::{
    Api,
    lists::Wanted,
    people::{hash, no_random},
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

/// What it is called in paths, as EMQX has it, and in chains.
const ID: &str = "password_based:built_in_database";
const SHORT: &str = "users";
/// Bytes of a password.
const PASSWORD_MAX: usize = 1_024;

impl Api {
    /// What is kept of users and rules.
    pub(super) fn accounts(&self) -> Result<&Arc<Accounts>, ApiError> {
        self.accounts.as_ref().ok_or_else(|| {
            let message =
                "users and rules are kept in the data directory: set node.data_dir, and access.accounts";
            ApiError::new(ErrorCode::NotFound, message)
        })
    }

    /// The same for who is going to change them: it has to be of use.
    pub(super) fn accounts_to_change(&self) -> Result<Arc<Accounts>, ApiError> {
        let accounts = self.accounts()?;
        if accounts.roster().is_asked() {
            return Ok(Arc::clone(accounts));
        }
        let message = "nobody is asked for these users and rules: set access.accounts = true \
                       (plexus ctl config set access.accounts=true)";
        Err(ApiError::new(ErrorCode::NotFound, message))
    }

    /// The tenant that a body or a query names; where both do it has to be the same.
    pub(super) fn one_tenant(
        &self,
        body: Option<&String>,
        query: Option<&String>,
    ) -> Result<Option<TenantName>, ApiError> {
        if body.is_some() && query.is_some() && body != query {
            return Err(ApiError::bad("tenant: the query names another one than the body"));
        }
        self.tenant(body.or(query))
    }

    fn authenticator(&self) -> AccountsAuthenticator {
        let roster = self.accounts.as_ref().map(|accounts| accounts.roster());
        AccountsAuthenticator {
            id: ID.to_owned(),
            mechanism: "password_based".to_owned(),
            backend: "built_in_database".to_owned(),
            user_id_type: "username".to_owned(),
            enable: roster.is_some_and(Roster::is_asked),
            users: roster.map_or(0, |roster| roster.len() as u64),
        }
    }
}

/// As a request is told of it.
pub(super) fn told(error: AccountsError) -> ApiError {
    match error {
        AccountsError::Exists(_) => ApiError::new(ErrorCode::AlreadyExists, error.to_string()),
        AccountsError::Missing(_) => ApiError::new(ErrorCode::NotFound, error.to_string()),
        AccountsError::Wrong(problem) => ApiError::bad(problem),
        AccountsError::Io(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
            ApiError::bad(error.to_string())
        }
        AccountsError::Io(error) => {
            tracing::error!(%error, "users and rules cannot be kept");
            let message = "it cannot be kept: the log of the node says why";
            ApiError::new(ErrorCode::ServiceUnavailable, message)
        }
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::new(ErrorCode::UserNotFound, format!("there is no user `{name}`"))
}

fn known(id: &str) -> Result<(), ApiError> {
    if matches!(id, ID | SHORT) {
        return Ok(());
    }
    let message = format!("there is no authenticator `{id}` here, but `{ID}` (or `{SHORT}`)");
    Err(ApiError::new(ErrorCode::NotFound, message))
}

fn shown(accounts: &Accounts, tenant: Option<&TenantName>, name: &str, user: &User) -> Account {
    Account {
        user_id: name.to_owned(),
        is_superuser: user.is_superuser,
        tenant: tenant.map(|tenant| tenant.as_str().to_owned()),
        is_hidden: accounts.roster().is_hidden(tenant, name),
    }
}

fn hashed(password: &str) -> Result<StoredPassword, ApiError> {
    if password.is_empty() || password.len() > PASSWORD_MAX {
        return Err(ApiError::bad(format!("password: 1 to {PASSWORD_MAX} bytes")));
    }
    hash(password.as_bytes()).ok_or_else(no_random)
}

pub(super) async fn authenticators(call: Call<(), (), ()>) -> Answer<Vec<AccountsAuthenticator>> {
    Ok(vec![call.api.authenticator()].into())
}

pub(super) async fn authenticator(
    call: Call<AuthenticatorPath, (), ()>,
) -> Answer<AccountsAuthenticator> {
    known(&call.path.id)?;
    Ok(call.api.authenticator().into())
}

pub(super) async fn list(call: Call<AuthenticatorPath, AccountQuery, ()>) -> Answer<Page<Account>> {
    known(&call.path.id)?;
    let AccountQuery { page, limit, like_user_id, is_superuser, tenant } = call.query;
    let mut picked = Wanted::new(page, limit, None)?.pick();
    let tenant = call.api.tenant(tenant.as_ref())?;
    let Some(accounts) = call.api.accounts.clone() else { return Ok(picked.done().into()) };
    // There may be a million.
    let page = changed(&call.api, move || {
        accounts.roster().walk(tenant.as_ref(), |name, user| {
            let is_like = like_user_id.as_ref().is_none_or(|like| name.contains(like.as_str()));
            if is_like && is_superuser.is_none_or(|wanted| wanted == user.is_superuser) {
                picked.see(|| shown(&accounts, tenant.as_ref(), name, user));
            }
        });
        Ok(picked.done())
    });
    Ok(page.await?.into())
}

pub(super) async fn create(
    call: Call<AuthenticatorPath, TenantQuery, NewAccount>,
) -> Answer<Account> {
    known(&call.path.id)?;
    let accounts = call.api.accounts_to_change()?;
    let NewAccount { user_id, password, is_superuser, tenant } = call.body;
    let tenant = call.api.one_tenant(tenant.as_ref(), call.query.tenant.as_ref())?;
    if accounts.roster().is_hidden(tenant.as_ref(), &user_id) {
        let message = format!(
            "user `{user_id}` stands in the configuration or its users_file: change it there"
        );
        return Err(ApiError::new(ErrorCode::NotAllowed, message));
    }
    let added = changed(&call.api, move || {
        let user = User { password: hashed(&password)?, is_superuser };
        let (name, user_shown) = (user_id.clone(), user.clone());
        let users = vec![Hashed { name: user_id, user }];
        accounts.add_users(tenant.as_ref(), users, false).map_err(told)?;
        Ok(shown(&accounts, tenant.as_ref(), &name, &user_shown))
    });
    Ok(added.await?.into())
}

pub(super) async fn get(call: Call<AccountPath, TenantQuery, ()>) -> Answer<Account> {
    let AccountPath { id, user_id } = call.path;
    known(&id)?;
    let tenant = call.api.tenant(call.query.tenant.as_ref())?;
    let accounts = call.api.accounts()?;
    let user = accounts.roster().find(tenant.as_ref(), &user_id);
    let user = user.ok_or_else(|| missing(&user_id))?;
    Ok(shown(accounts, tenant.as_ref(), &user_id, &user).into())
}

pub(super) async fn update(call: Call<AccountPath, TenantQuery, AccountUpdate>) -> Answer<Account> {
    let AccountPath { id, user_id } = call.path;
    known(&id)?;
    let tenant = call.api.tenant(call.query.tenant.as_ref())?;
    let accounts = call.api.accounts_to_change()?;
    let AccountUpdate { password, is_superuser } = call.body;
    let changed = changed(&call.api, move || {
        let password = password.as_deref().map(hashed).transpose()?;
        let user = accounts.change_user(tenant.as_ref(), &user_id, |user| {
            if let Some(password) = password {
                user.password = password;
            }
            user.is_superuser = is_superuser.unwrap_or(user.is_superuser);
        });
        let user = user.map_err(|error| of_user(error, &user_id))?;
        Ok(shown(&accounts, tenant.as_ref(), &user_id, &user))
    });
    Ok(changed.await?.into())
}

pub(super) async fn delete(call: Call<AccountPath, TenantQuery, ()>) -> Answer<()> {
    let AccountPath { id, user_id } = call.path;
    known(&id)?;
    let tenant = call.api.tenant(call.query.tenant.as_ref())?;
    let accounts = call.api.accounts_to_change()?;
    let removed = changed(&call.api, move || {
        let removed = accounts.remove_user(tenant.as_ref(), &user_id);
        removed.map_err(|error| of_user(error, &user_id))
    });
    Ok(removed.await?.into())
}

fn of_user(error: AccountsError, name: &str) -> ApiError {
    match error {
        AccountsError::Missing(_) => missing(name),
        other => told(other),
    }
}

pub(super) async fn import(
    call: Call<AuthenticatorPath, TenantQuery, AccountImport>,
) -> Answer<AccountsImported> {
    known(&call.path.id)?;
    let accounts = call.api.accounts_to_change()?;
    let AccountImport { scheme, replace, tenant, users } = call.body;
    let tenant = call.api.one_tenant(tenant.as_ref(), call.query.tenant.as_ref())?;
    let scheme = match scheme {
        Some(text) => text
            .parse::<PasswordScheme>()
            .map_err(|error| ApiError::bad(format!("scheme: `{text}` {error}")))?,
        None => PasswordScheme::Phc,
    };
    if scheme == PasswordScheme::Plain {
        let message =
            "scheme: passwords themselves are not taken: hash them, or add users one by one";
        return Err(ApiError::bad(message));
    }
    let imported = changed(&call.api, move || {
        let mut hashed = Vec::with_capacity(users.len());
        for (index, user) in users.into_iter().enumerate() {
            let password = scheme.read(&user.password_hash, user.salt.as_deref());
            let password = password.map_err(|error| {
                ApiError::bad(format!("users[{index}] (`{}`): the password {error}", user.user_id))
            })?;
            let is_superuser = user.is_superuser;
            hashed.push(Hashed { name: user.user_id, user: User { password, is_superuser } });
        }
        accounts.add_users(tenant.as_ref(), hashed, replace).map_err(told)
    });
    let imported = imported.await? as u64;
    Ok(AccountsImported { imported }.into())
}
