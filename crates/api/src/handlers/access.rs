//! Who is not let in, and what the audit log has of everybody.

use std::sync::Arc;

use plexus_api_model::{
    ApiError, AuditRecord, BanAs, BanPath, BanQuery, BanSource, Banned, ErrorCode, Infinity,
    Moment, NewBan, Page, RecordQuery, TenantQuery, Until,
};
use plexus_broker::BansFrom;
use plexus_runtime::unix_now;

use crate::{
    Api, bans,
    lists::Wanted,
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

/// Records of the audit log that pages are cut from: the newest.
const RECORDS_MAX: usize = 10_000;

impl Api {
    /// Has the node hold to the bans of the book, as it is now.
    pub(crate) fn hold_to_bans(&self) {
        self.bans.hold(unix_now(), |bans| self.ban_by_api(bans));
    }

    pub(super) fn ban_by_api(&self, bans: Vec<plexus_fences::Ban>) {
        self.node.replace_bans(BansFrom::Api, bans);
    }
}

pub(super) async fn banned(call: Call<(), BanQuery, ()>) -> Answer<Page<Banned>> {
    let BanQuery { page, limit, like_clientid, like_username, like_peerhost } = call.query;
    let wanted = Wanted::new(page, limit, None)?;
    let now = unix_now();
    let of_file = call.api.node.bans_of_file();
    let of_file = of_file.iter().filter(|ban| ban.until.is_none_or(|end| end > now));
    let mut all: Vec<_> = of_file.map(bans::shown).collect();
    // A change of them may wait for the disk.
    let api = Arc::clone(&call.api);
    all.extend(changed(&call.api, move || Ok(api.bans.all(now))).await?);
    let likes = [
        (like_clientid, [BanAs::Clientid, BanAs::Clientid]),
        (like_username, [BanAs::Username, BanAs::Username]),
        (like_peerhost, [BanAs::Peerhost, BanAs::PeerhostNet]),
    ];
    for (like, kinds) in likes {
        if let Some(like) = like {
            all.retain(|ban| kinds.contains(&ban.r#as) && ban.who.contains(&like));
        }
    }
    Ok(wanted.cut(all).into())
}

pub(super) async fn ban(call: Call<(), (), NewBan>) -> Answer<Banned> {
    let told = call.caller()?.told();
    let NewBan { r#as, who, tenant, by, reason, at: _, until } = call.body;
    if let Some(tenant) = &tenant {
        call.api.tenant(Some(tenant))?;
    }
    let now = unix_now();
    let until = until.unwrap_or(Until::Never(Infinity::Infinity));
    if matches!(until, Until::At(end) if end.millis() <= now.as_millis()) {
        return Err(ApiError::bad("until: that is over"));
    }
    let banned = Banned {
        r#as,
        who,
        tenant,
        by: by.unwrap_or(told),
        reason,
        at: Some(Moment::from_millis(now.as_millis())),
        until,
        source: BanSource::Api,
    };
    let (api, kept) = (Arc::clone(&call.api), banned.clone());
    changed(&call.api, move || api.bans.add(now, kept, |bans| api.ban_by_api(bans))).await?;
    Ok(banned.into())
}

pub(super) async fn unban(call: Call<BanPath, TenantQuery, ()>) -> Answer<()> {
    let meant = Banned {
        r#as: call.path.r#as,
        who: call.path.who,
        tenant: call.query.tenant,
        by: String::new(),
        reason: String::new(),
        at: None,
        until: Until::Never(Infinity::Infinity),
        source: BanSource::Api,
    };
    let (api, gone) = (Arc::clone(&call.api), meant.clone());
    let count = changed(&call.api, move || {
        let meant = |ban: &Banned| bans::is_same(ban, &gone);
        api.bans.remove(unix_now(), meant, |bans| api.ban_by_api(bans))
    });
    if count.await? > 0 {
        return Ok(().into());
    }
    let of_file = call.api.node.bans_of_file();
    if of_file.iter().map(bans::shown).any(|ban| bans::is_same(&ban, &meant)) {
        let message = "that ban stands in the configuration: take it out there";
        return Err(ApiError::new(ErrorCode::NotAllowed, message));
    }
    let message = format!("{} `{}` is not banned", meant.r#as.word(), meant.who);
    Err(ApiError::new(ErrorCode::NotFound, message))
}

pub(super) async fn unban_all(call: Call<(), (), ()>) -> Answer<()> {
    let api = Arc::clone(&call.api);
    let all = changed(&call.api, move || {
        api.bans.remove(unix_now(), |_| true, |bans| api.ban_by_api(bans))
    });
    all.await?;
    Ok(().into())
}

/// Does what may wait for a disk, or look at much, where it may take its time.
pub(super) async fn changed<T: Send + 'static>(
    api: &Api,
    change: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    api.runtime.compute(change).await.ok_or_else(crate::server::stopping)?
}

pub(super) async fn audit(call: Call<(), RecordQuery, ()>) -> Answer<Page<AuditRecord>> {
    let wanted = Wanted::new(call.query.page, call.query.limit, None)?;
    let Some(folder) = call.api.about.audit.clone() else {
        let message = "the node has no audit log: set node.data_dir, or audit.dir";
        return Err(ApiError::new(ErrorCode::NotFound, message));
    };
    let query = call.query;
    let read = call.api.runtime.compute(move || {
        let search = query.search.as_ref().map(|text| text.to_lowercase());
        let mut newest = std::collections::VecDeque::new();
        let read = plexus_audit::read(&folder, |line| {
            let has = |text: &String| line.to_lowercase().contains(text.as_str());
            if !search.as_ref().is_none_or(has) {
                return true;
            }
            // What is none is found by `plexus audit verify`.
            let record = serde_json::from_str::<AuditRecord>(line);
            if let Some(record) = record.ok().filter(|record| is_wanted(&query, record)) {
                if newest.len() >= RECORDS_MAX {
                    newest.pop_back();
                }
                newest.push_front(record);
            }
            true
        });
        match read {
            Ok(()) | Err(plexus_audit::ReadError::Nothing) => Ok(Vec::from(newest)),
            Err(error) => Err(error),
        }
    });
    let records = read.await.ok_or_else(crate::server::stopping)?.map_err(|error| {
        tracing::error!(%error, "the audit log cannot be read");
        let message = "the audit log cannot be read: the log of the node says why";
        ApiError::new(ErrorCode::ServiceUnavailable, message)
    })?;
    Ok(wanted.cut(records).into())
}

fn is_wanted(query: &RecordQuery, record: &AuditRecord) -> bool {
    let is = |wanted: &Option<String>, is: Option<&String>| {
        wanted.as_ref().is_none_or(|wanted| is == Some(wanted))
    };
    is(&query.kind, Some(&record.kind))
        && is(&query.outcome, Some(&record.outcome))
        && is(&query.clientid, record.client.as_ref())
        && is(&query.username, record.user.as_ref())
        && is(&query.tenant, record.tenant.as_ref())
}
