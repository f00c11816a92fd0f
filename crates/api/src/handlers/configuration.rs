//! The configuration: seen, changed, and changed back.

use std::sync::Arc;

use plexus_api_model::{
    ApiError, ConfigChanges, ConfigOutcome, ConfigPatch, ConfigQuery, ConfigRollback,
    ConfigVersion, EffectiveConfig,
};

use crate::{
    Api, Configuration,
    server::{Call, Reply, stopping},
};

type Answer<A> = Result<Reply<A>, ApiError>;

pub(super) async fn effective(call: Call<(), (), ()>) -> Answer<EffectiveConfig> {
    ask(&call.api, |it| it.effective()).await
}

pub(super) async fn changes(call: Call<(), (), ()>) -> Answer<ConfigChanges> {
    ask(&call.api, |it| it.changes()).await
}

pub(super) async fn history(call: Call<(), (), ()>) -> Answer<Vec<ConfigVersion>> {
    ask(&call.api, |it| it.history()).await
}

pub(super) async fn change(call: Call<(), ConfigQuery, ConfigPatch>) -> Answer<ConfigOutcome> {
    let (by, dry, patch) = (call.caller()?.told(), call.query.dry_run, call.body);
    ask(&call.api, move |it| it.change(patch, &by, dry)).await
}

pub(super) async fn roll_back(
    call: Call<(), ConfigQuery, ConfigRollback>,
) -> Answer<ConfigOutcome> {
    let (by, dry, wanted) = (call.caller()?.told(), call.query.dry_run, call.body);
    ask(&call.api, move |it| it.roll_back(&wanted, &by, dry)).await
}

/// Asks where it may take its time.
async fn ask<T: Send + 'static>(
    api: &Api,
    question: impl FnOnce(&dyn Configuration) -> Result<T, ApiError> + Send + 'static,
) -> Answer<T> {
    let configuration = Arc::clone(&api.configuration);
    let answer = api.runtime.compute(move || question(&*configuration)).await;
    Ok(answer.ok_or_else(stopping)??.into())
}
