import { ListenerPanel } from "../limits/ListenerPanel";
import styles from "../limits/limits.module.css";
import { NodePanel } from "../limits/NodePanel";
import { MetPanel, RulesPanel } from "../limits/RulesPanel";
import { TenantPanel } from "../limits/TenantPanel";
import { Failed, Page, Waiting } from "../parts/Page";
import { useConfig } from "../settings/queries";

/** What the node, its listeners, its tenants and its clients may have, and how much of it they do. */
export default function Limits() {
  const config = useConfig();
  if (config.isError && !config.data)
    return <Failed error={config.error} retry={() => config.refetch()} />;
  if (!config.data) return <Waiting label="Reading the limits" />;
  return (
    <Page title="Limits and tenants">
      <NodePanel config={config.data} />
      <div className={styles.columns}>
        <ListenerPanel />
        <MetPanel />
      </div>
      <TenantPanel config={config.data} />
      <RulesPanel config={config.data} />
    </Page>
  );
}
