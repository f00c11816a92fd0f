// The versions of the changes, and the way back to each.

import { Button, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ConfigChange, ConfigVersion, EffectiveConfig } from "../api/client";
import { tell } from "../parts/confirm";
import { Ends } from "../parts/Ends";
import { Failed, FormFailure, Panel, Waiting, WaitingRows } from "../parts/Page";
import { Moment, Status } from "../parts/Words";
import { Conflict } from "./Conflict";
import { Difference } from "./Difference";
import { isConflict, rollBack, useChanges, useConfig, useHistory, useRefresh } from "./queries";
import { specsOf } from "./schema";
import styles from "./settings.module.css";
import { earlier, touches, valueAt } from "./values";

interface HistoryProps {
  config: EffectiveConfig;
  mayEdit: boolean;
}

/** All versions that are kept, the newest first. */
export function History({ config, mayEdit }: HistoryProps) {
  const history = useHistory();
  const [chosen, setChosen] = useState<ConfigVersion>();
  if (history.isError && !history.data)
    return <Failed error={history.error} retry={() => history.refetch()} />;
  if (!history.data) return <WaitingRows rows={4} />;
  return (
    <>
      <Panel isPadded={false}>
        <ol className={styles.versions}>
          {history.data.map((one) => (
            <Version
              key={one.version}
              one={one}
              isNow={one.version === config.version}
              goBack={mayEdit ? () => setChosen(one) : undefined}
            />
          ))}
        </ol>
      </Panel>
      {chosen && <RollBack to={chosen} config={config} close={() => setChosen(undefined)} />}
    </>
  );
}

interface VersionProps {
  one: ConfigVersion;
  isNow: boolean;
  goBack: (() => void) | undefined;
}

function Version({ one, isNow, goBack }: VersionProps) {
  return (
    <li className={styles.version}>
      <span className={styles.number}>{one.version}</span>
      <div className={styles.versionWords}>
        <div>
          {one.version === 0 ? (
            "The configuration file alone"
          ) : (
            <>
              <b>{one.by}</b>{" "}
              <span className="muted">
                <Moment at={one.at} />
              </span>
              {one.why && <span className={styles.why}>{one.why}</span>}
            </>
          )}
        </div>
        {one.keys.length > 0 && (
          <ul className={styles.chips} aria-label={`Keys of version ${one.version}`}>
            {one.keys.map((key) => (
              <li key={key} className="mono">
                {key}
              </li>
            ))}
          </ul>
        )}
      </div>
      {isNow && <Status kind="good">holds</Status>}
      {!isNow && goBack && (
        <Button
          variant="default"
          size="compact-xs"
          aria-label={`Roll back to version ${one.version}`}
          onClick={goBack}
        >
          Roll back
        </Button>
      )}
    </li>
  );
}

interface RollBackProps {
  to: ConfigVersion;
  config: EffectiveConfig;
  close: () => void;
}

function RollBack({ to, config, close }: RollBackProps) {
  const refresh = useRefresh();
  const newest = useConfig();
  const [why, setWhy] = useState("");
  // What is shown was asked for with this version; a newer one is looked at when somebody says so.
  const [version, setVersion] = useState(config.version);
  const trial = useQuery({
    queryKey: ["configs", "rollback", version, to.version],
    queryFn: () => rollBack(version, to.version, { isTrial: true }),
    retry: false,
  });
  const act = useMutation({
    mutationFn: () => rollBack(version, to.version, { isTrial: false, why: why.trim() }),
    onSuccess: async (outcome) => {
      close();
      tell(`What version ${to.version} said holds again, as version ${outcome.version}.`);
      await refresh();
    },
  });
  const error = act.error ?? trial.error;
  const isOvertaken = isConflict(error) || config.version > version;
  const look = async () => {
    act.reset();
    await refresh();
    const { data } = await newest.refetch();
    if (data) setVersion(data.version);
  };
  return (
    <Modal opened onClose={close} size="lg" title={`Roll back to version ${to.version}?`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <Stack gap="md">
          <p className={styles.about}>
            {to.version === 0
              ? "What was changed while the node runs is taken back: the configuration file alone holds."
              : "What was changed since is taken back."}{" "}
            It becomes a version of its own, from which there is a way back, too.
          </p>
          {isOvertaken && <Conflict look={look} />}
          {!isOvertaken && trial.isLoading && <Waiting label="Asking the node" />}
          {!isOvertaken && trial.data && (
            <Differences
              keys={trial.data.keys}
              waits={trial.data.waits}
              to={to.version}
              config={config}
            />
          )}
          {!isOvertaken && <FormFailure error={error} />}
          <TextInput
            label="Why"
            placeholder="What the history is to say"
            maxLength={1000}
            value={why}
            onChange={(event) => setWhy(event.currentTarget.value)}
          />
          <Ends
            close={close}
            act="Roll back"
            isBusy={act.isPending || trial.isLoading}
            isOff={isOvertaken || error !== null}
          />
        </Stack>
      </form>
    </Modal>
  );
}

interface DifferencesProps {
  keys: string[];
  waits: string[];
  to: number;
  config: EffectiveConfig;
}

function Differences({ keys, waits, to, config }: DifferencesProps) {
  const changes = useChanges().data?.changes ?? [];
  const history = useHistory().data ?? [];
  const specs = specsOf(config.config);
  if (keys.length === 0) return <Status kind="none">No key would be another</Status>;
  return (
    <ul className={styles.edits}>
      {keys.map((key) => {
        const path = specs.find((spec) => spec.key === key)?.path ?? key.split(".");
        const then = earlier(key, to, changes, history);
        return (
          <li key={key}>
            <div className={styles.editHead}>
              <span className="mono">{key}</span>
              {touches(waits, key) ? (
                <Status kind="warn">from the next start on</Status>
              ) : (
                <Status kind="good">at once</Status>
              )}
            </div>
            <Difference
              from={changedValue(changes, key) ?? valueAt(config.config, path)}
              to={then.kind === "file" ? then.value : undefined}
              toWords={then.kind === "unknown" ? `as version ${to} had it` : undefined}
            />
          </li>
        );
      })}
    </ul>
  );
}

/** What was changed is what is taken back, also where something hides it. */
function changedValue(changes: readonly ConfigChange[], key: string): unknown {
  return changes.find((one) => one.key === key)?.value;
}
