import { Button, Group, Tabs } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { mayChange, session } from "../api/session";
import { plural } from "../lib/format";
import { useParams } from "../lib/params";
import { useStore } from "../lib/store";
import { Failed, Note, Page, Waiting } from "../parts/Page";
import { Changed } from "../settings/Changed";
import { discard, draft } from "../settings/draft";
import { History } from "../settings/History";
import { useChanges, useConfig } from "../settings/queries";
import { Review } from "../settings/Review";
import styles from "../settings/settings.module.css";
import { Values } from "../settings/Values";

/** The configuration that holds, what was changed over the file, and its versions. */
export default function Settings() {
  const config = useConfig();
  const changes = useChanges();
  const [params, setParams] = useParams();
  const mayEdit = mayChange(useStore(session)?.role ?? "viewer");
  if (config.isError && !config.data)
    return <Failed error={config.error} retry={() => config.refetch()} />;
  if (!config.data) return <Waiting label="Reading the configuration" />;
  const count = changes.data?.changes.length ?? 0;
  const { version } = config.data;
  return (
    <Page
      title="Settings"
      lead={version === 0 ? "as the file says" : `version ${version} of the changes`}
    >
      <Waits keys={changes.data?.waits ?? []} />
      <Tabs
        value={params.get("tab") ?? "values"}
        onChange={(tab) => setParams({ tab: tab === "values" ? "" : (tab ?? "") })}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="values">Values</Tabs.Tab>
          <Tabs.Tab value="changed">Changed{count > 0 && ` (${count})`}</Tabs.Tab>
          <Tabs.Tab value="history">History</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="values" className={styles.tab}>
          <Values config={config.data} changes={changes.data} mayEdit={mayEdit} />
        </Tabs.Panel>
        <Tabs.Panel value="changed" className={styles.tab}>
          {changes.isError && !changes.data && (
            <Failed error={changes.error} retry={() => changes.refetch()} />
          )}
          {changes.data && (
            <Changed config={config.data} changes={changes.data} mayEdit={mayEdit} />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="history" className={styles.tab}>
          <History config={config.data} mayEdit={mayEdit} />
        </Tabs.Panel>
      </Tabs>
      {mayEdit && <DraftBar />}
    </Page>
  );
}

/** What was changed and is not taken before the next start. */
function Waits({ keys }: { keys: string[] }) {
  if (keys.length === 0) return null;
  return (
    <Note>
      {plural(keys.length, "key")} {keys.length === 1 ? "waits" : "wait"} for the next start of the
      node: <span className="mono">{keys.join(", ")}</span>
    </Note>
  );
}

/** What is to be changed, wherever on the page one is. */
function DraftBar() {
  const { edits } = useStore(draft);
  const [isOpen, review] = useDisclosure();
  return (
    <>
      {edits.length > 0 && (
        <section className={styles.bar} aria-label="The change">
          <span>
            <b>{plural(edits.length, "key")}</b> to be changed:{" "}
            <span className="mono">{edits.map((edit) => edit.key).join(", ")}</span>
          </span>
          <Group gap="xs" wrap="nowrap">
            <Button variant="default" onClick={discard}>
              Discard
            </Button>
            <Button onClick={review.open}>Review</Button>
          </Group>
        </section>
      )}
      {isOpen && <Review close={review.close} />}
    </>
  );
}
