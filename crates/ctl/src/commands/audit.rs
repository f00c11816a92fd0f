//! The audit log, as the node tells it.

use clap::Args;
use plexus_api_model::{AuditRecord, RecordQuery, operations};
use plexus_terminal::Failure;

use crate::{
    caller::{Caller, RangeArgs},
    table::{Column, Row, words},
    units,
};

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Only those of this kind: login, session, access, ban, admin, change, node or audit
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,

    /// Only those of this client
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Only those of this user, of MQTT or of the API
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// Only those that ended so
    #[arg(long, value_name = "OUTCOME", value_parser = ["done", "refused", "failed"])]
    outcome: Option<String>,

    /// Only those of this tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Only those with this in them
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    #[command(flatten)]
    range: RangeArgs,
}

impl Row for AuditRecord {
    const COLUMNS: &'static [Column<Self>] = &[
        words("WHEN", |record| match record.time.get(..19) {
            Some(whole) => [whole, "Z"].concat(),
            None => record.time.clone(),
        }),
        words("KIND", |record| record.kind.clone()),
        words("ACT", |record| record.act.clone()),
        words("OUTCOME", |record| record.outcome.clone()),
        words("CLIENT", |record| units::maybe(record.client.as_ref())),
        words("USER", |record| units::maybe(record.user.as_ref())),
        words("ADDRESS", |record| units::maybe(record.peer.as_ref())),
        words("TARGET", |record| units::maybe(record.target.as_ref())),
        words("BECAUSE", |record| units::maybe(record.because.as_ref())),
        words("TENANT", |record| units::maybe(record.tenant.as_ref())),
    ];
}

pub(crate) fn run(caller: &mut Caller<'_>, args: AuditArgs) -> Result<(), Failure> {
    let query = RecordQuery {
        kind: args.kind,
        clientid: args.client_id,
        username: args.user,
        outcome: args.outcome,
        tenant: args.tenant,
        search: args.search,
        ..RecordQuery::default()
    };
    caller.pages(&operations::LIST_AUDIT, &(), query, args.range)
}
