//! Who asks from now on.

use std::{io::IsTerminal, path::PathBuf};

use clap::Args;
use plexus_api_model::{ErrorCode, Login, operations};
use plexus_terminal::Failure;

use crate::{
    client::{CallError, Credentials},
    connection::{ConnectionArgs, Surroundings},
    logins,
    out::Out,
    secrets::Secret,
};

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The name of the user
    #[arg(long, value_name = "NAME", default_value = "admin")]
    user: String,

    /// The file whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// The code of the second factor, of a user who has one; a terminal is asked for it
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
}

pub(crate) fn login(
    args: &LoginArgs,
    connection: &ConnectionArgs,
    around: &Surroundings,
    mut out: Out<'_>,
) -> Result<(), Failure> {
    connection.private()?;
    let logins = around.logins()?;
    let client = connection.client_as(None, connection.patience())?;
    let what = format!("password of {}", args.user);
    let password =
        Secret { what: &what, file: args.password_file.as_deref(), is_new: false }.get()?;
    let mut login = Login { username: args.user.clone(), password, mfa_token: args.code.clone() };
    let session = match client.call(&operations::LOGIN, &(), &(), &login) {
        Err(CallError::Refused { code, .. })
            if code == ErrorCode::BadMfaToken.word() && login.mfa_token.is_none() =>
        {
            login.mfa_token = Some(ask_code()?);
            client.call(&operations::LOGIN, &(), &(), &login)
        }
        session => session,
    };
    let session = session?.value;
    let address = connection.address();
    let kept =
        logins::Login { url: address.to_string(), user: args.user.clone(), token: session.token };
    logins.write(address, &kept)?;
    let (user, role) = (&args.user, session.role.word());
    out.done(format_args!("logged in at {address} as {user}, {role}"))
}

/// The code that an app shows now.
fn ask_code() -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        let message =
            "the user has a second factor: give the code that the app shows now with --code";
        return Err(Failure::Usage(message.to_owned()));
    }
    let asked = rpassword::prompt_password("code of the second factor: ");
    asked.map_err(|error| Failure::because("cannot read the code", &error))
}

pub(crate) fn logout(
    connection: &ConnectionArgs,
    around: &Surroundings,
    mut out: Out<'_>,
) -> Result<(), Failure> {
    let (logins, address) = (around.logins()?, connection.address());
    // One that cannot be read is forgotten all the same: that is how it is mended.
    let login = logins.read(address);
    let was_there = logins.forget(address)?;
    if let Ok(Some(login)) = login {
        connection.private()?;
        let credentials = Some(Credentials::Token(login.token));
        let client = connection.client_as(credentials, connection.patience())?;
        match client.call(&operations::LOGOUT, &(), &(), &()) {
            // A log-in that is over needs no end.
            Ok(_) | Err(CallError::Refused { status: 401, .. }) => {}
            Err(error) => {
                out.note(format_args!(
                    "forgotten here; the node still knows the log-in for an hour"
                ));
                return Err(error.into());
            }
        }
    }
    if was_there {
        return out.done(format_args!("logged out at {address}"));
    }
    out.done(format_args!("nobody was logged in at {address}"))
}
