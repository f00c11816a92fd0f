// The tenants: what each may have, and has.

import type { EffectiveConfig } from "../api/client";
import { useSys } from "../api/sys";
import { bytes, count } from "../lib/format";
import { useParams } from "../lib/params";
import { sizeOf } from "../lib/sizes";
import { Filter } from "../parts/Filter";
import { Meter } from "../parts/Meter";
import { Empty, Panel } from "../parts/Page";
import { type Tenant, tenantsOf } from "../settings/tenants";
import { shown } from "../settings/values";
import { KeyLink } from "./KeyLink";
import styles from "./limits.module.css";

/** So many are shown; others are found by their names. */
const SHOWN = 50;

/** All tenants, or those that are looked for. */
export function TenantPanel({ config }: { config: EffectiveConfig }) {
  const [params, setParams] = useParams();
  const all = tenantsOf(config.config);
  const wanted = (params.get("tenant") ?? "").toLowerCase();
  const found = all.filter(({ name }) => name.toLowerCase().includes(wanted));
  const isMany = all.length > 5;
  return (
    <Panel
      title="Tenants"
      aside={
        <>
          <KeyLink name="access.tenant" />
          {isMany && (
            <Filter
              ml="auto"
              label="Name of a tenant…"
              value={params.get("tenant") ?? ""}
              onFilter={(tenant) => setParams({ tenant })}
            />
          )}
        </>
      }
    >
      {all.length === 0 && (
        <Empty icon="people" title="The node has no tenants">
          With tenants one node serves several customers or plants, each with clients, topics and
          limits of its own. They stand in the configuration, as [[access.tenant]].
        </Empty>
      )}
      {all.length > 0 && found.length === 0 && (
        <Empty icon="search" title="No tenant has such a name" />
      )}
      <div className={styles.tenants}>
        {found.slice(0, SHOWN).map((tenant) => (
          <TenantRow key={tenant.name} tenant={tenant} />
        ))}
      </div>
      {found.length > SHOWN && (
        <p className="muted">
          {count(SHOWN)} of {count(found.length)} are shown; say a part of the name of another.
        </p>
      )}
    </Panel>
  );
}

const METERS: [label: string, key: string, topic: string, isBytes?: boolean][] = [
  ["Connections", "max_connections", "stats/connections/count"],
  ["Sessions", "max_sessions", "stats/sessions/count"],
  ["Subscriptions", "max_subscriptions", "stats/subscriptions/count"],
  ["Retained", "max_retained_messages", "stats/retained/count"],
  ["Retained bytes", "max_retained_bytes", "stats/retained/bytes", true],
];

function TenantRow({ tenant: { name, limits } }: { tenant: Tenant }) {
  const sys = useSys(name);
  const used = (topic: string) => sys.data?.get(topic) ?? Number.NaN;
  const rate = limits.max_total_message_rate ?? limits.max_total_byte_rate;
  return (
    <section className={styles.tenant} aria-label={name}>
      <div className={styles.tenantHead}>
        <h3 className="mono">{name}</h3>
        <span className="muted">
          {rate === undefined ? "" : `publishes ${shown(rate)} at most`}
        </span>
        {sys.data?.size === 0 && <span className="muted">nothing is counted of it yet</span>}
      </div>
      <div className={styles.small}>
        {METERS.map(([label, key, topic, isBytes]) => (
          <div key={key}>
            <div className={styles.meterHead}>{label}</div>
            <Meter
              label={`${label} of ${name}`}
              used={used(topic)}
              limit={sizeOf(limits[key])}
              format={isBytes ? bytes : count}
            />
          </div>
        ))}
      </div>
    </section>
  );
}
