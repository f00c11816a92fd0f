use plexus_api_model::{
    ApiError, ApiKey, ApiKeyCreated, ApiKeyPath, ApiKeyUpdate, ErrorCode, Login, MfaBegun, MfaCode,
    NewApiKey, NewUser, PasswordChange, Role, Session, User, UserPath, UserUpdate,
};

use crate::server::{Call, Reply};

type Answer<A> = Result<Reply<A>, ApiError>;

pub(super) async fn log_in(call: Call<(), (), Login>) -> Answer<Session> {
    let Login { username, password, mfa_token } = &call.body;
    call.claimed.get_or_init(|| username.clone());
    let shown = (password.as_str(), mfa_token.as_deref());
    let (token, role) = call.api.people.log_in(username, shown, call.peer).await?;
    let version = call.api.about.version.clone();
    Ok(Session { token, role, version }.into())
}

pub(super) async fn log_out(call: Call<(), (), ()>) -> Answer<()> {
    // A key is no log-in, and stays.
    if let Some(token) = &call.token {
        call.api.people.log_out(token);
    }
    Ok(().into())
}

pub(super) async fn users(call: Call<(), (), ()>) -> Answer<Vec<User>> {
    Ok(call.api.people.users().into())
}

pub(super) async fn create_user(call: Call<(), (), NewUser>) -> Answer<User> {
    Ok(call.api.people.add_user(call.body).await?.into())
}

pub(super) async fn update_user(call: Call<UserPath, (), UserUpdate>) -> Answer<User> {
    Ok(call.api.people.change_user(&call.path.username, call.body).await?.into())
}

pub(super) async fn delete_user(call: Call<UserPath, (), ()>) -> Answer<()> {
    Ok(call.api.people.delete_user(&call.path.username).await?.into())
}

pub(super) async fn change_password(call: Call<UserPath, (), PasswordChange>) -> Answer<()> {
    let caller = call.caller()?;
    if !caller.is_user || caller.name != call.path.username {
        let message = "a password is changed by the user whose it is";
        return Err(ApiError::new(ErrorCode::UnauthorizedRole, message));
    }
    let (people, name) = (&call.api.people, &call.path.username);
    people.change_password(name, call.body, call.peer, call.token.as_deref()).await?;
    Ok(().into())
}

/// The user who asks, about himself.
fn own<Q, B>(call: &Call<UserPath, Q, B>) -> Result<(), ApiError> {
    let caller = call.caller()?;
    if caller.is_user && caller.name == call.path.username {
        return Ok(());
    }
    let message = "a second factor is made by the user whose it is";
    Err(ApiError::new(ErrorCode::UnauthorizedRole, message))
}

pub(super) async fn begin_mfa(call: Call<UserPath, (), ()>) -> Answer<MfaBegun> {
    own(&call)?;
    Ok(call.api.people.begin_mfa(&call.path.username, &call.api.about.name)?.into())
}

pub(super) async fn confirm_mfa(call: Call<UserPath, (), MfaCode>) -> Answer<()> {
    own(&call)?;
    let (people, name) = (&call.api.people, &call.path.username);
    people.confirm_mfa(name, &call.body.mfa_token, call.peer).await?;
    Ok(().into())
}

pub(super) async fn end_mfa(call: Call<UserPath, (), ()>) -> Answer<()> {
    if call.caller()?.role != Role::Administrator {
        own(&call)?;
    }
    Ok(call.api.people.end_mfa(&call.path.username).await?.into())
}

pub(super) async fn keys(call: Call<(), (), ()>) -> Answer<Vec<ApiKey>> {
    Ok(call.api.people.keys().into())
}

pub(super) async fn key(call: Call<ApiKeyPath, (), ()>) -> Answer<ApiKey> {
    Ok(call.api.people.key(&call.path.name)?.into())
}

pub(super) async fn create_key(call: Call<(), (), NewApiKey>) -> Answer<ApiKeyCreated> {
    Ok(call.api.people.add_key(call.body).await?.into())
}

pub(super) async fn update_key(call: Call<ApiKeyPath, (), ApiKeyUpdate>) -> Answer<ApiKey> {
    Ok(call.api.people.change_key(&call.path.name, call.body).await?.into())
}

pub(super) async fn delete_key(call: Call<ApiKeyPath, (), ()>) -> Answer<()> {
    Ok(call.api.people.delete_key(&call.path.name).await?.into())
}
