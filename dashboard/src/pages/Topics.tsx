import { Button, Group, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { count } from "../lib/format";
import { useStore } from "../lib/store";
import { filterFault } from "../lib/topics";
import { ConnectionBar } from "../mqtt/ConnectionBar";
import * as connection from "../mqtt/connection";
import styles from "../mqtt/mqtt.module.css";
import { TopicDetail } from "../mqtt/TopicDetail";
import { TreeView } from "../mqtt/TreeView";
import { complain } from "../parts/confirm";
import { Filter } from "../parts/Filter";
import { Empty, Page, Panel } from "../parts/Page";

const ALL = "#";

/** The topics that messages come to, as they come. */
export default function Topics() {
  const state = useStore(connection.state);
  const version = useStore(connection.treeVersion);
  const { tree } = connection;
  const [search, setSearch] = useState("");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [selected, setSelected] = useState<string>();
  const messages = useStore(connection.messages);
  const level = selected === undefined ? undefined : tree.find(selected);
  const lead =
    tree.size > 0 ? `${count(tree.size)} levels, ${count(tree.root.total)} messages` : undefined;
  return (
    <Page title="Topics" isFilling lead={lead} acts={tree.size > 0 && <Forget />}>
      <ConnectionBar>
        <Follow />
      </ConnectionBar>
      <div className={styles.topics}>
        <Panel
          title="Tree"
          isPadded={false}
          className={styles.tree}
          aside={
            <Filter
              label="Part of a topic…"
              value={search}
              onFilter={setSearch}
              ml="auto"
              w={190}
            />
          }
        >
          {tree.size === 0 ? (
            <Nothing isOn={state.kind === "on"} />
          ) : (
            <TreeView
              tree={tree}
              version={version}
              open={open}
              setOpen={setOpen}
              selected={selected}
              select={setSelected}
              wanted={search}
            />
          )}
          {tree.left > 0 && (
            <div className={styles.on}>
              The tree is full: {count(tree.left)} messages to further topics are left out.
            </div>
          )}
        </Panel>
        {level ? (
          <TopicDetail key={level.path} level={level} messages={messages} />
        ) : (
          <Panel title="Topic" className={styles.tree}>
            <Empty icon="topics" title="No topic is chosen">
              Choose one in the tree to see its last message, and to draw a number of it over time.
            </Empty>
          </Panel>
        )}
      </div>
    </Page>
  );
}

function Nothing({ isOn }: { isOn: boolean }) {
  return isOn ? (
    <Empty icon="topics" title="No message yet">
      Retained messages come at once, others as they are published.
    </Empty>
  ) : (
    <Empty icon="socket" title="Not connected">
      The tree grows from what this page receives as an MQTT client. What it may see is what the
      rules allow to its user.
    </Empty>
  );
}

function Forget() {
  return (
    <Button variant="default" onClick={connection.forgetTopics}>
      Empty the tree
    </Button>
  );
}

/** Which topics are followed: all of them, unless something else is said. */
function Follow() {
  const wanted = useStore(connection.wanted);
  const [filter, setFilter] = useState(ALL);
  const followed = wanted.some((one) => one.filter === filter);
  const fault = filterFault(filter);
  useEffect(() => {
    if (connection.wanted.get().length === 0)
      connection.subscribe({ filter: ALL, qos: 0 }).catch(complain);
  }, []);
  const follow = () => {
    if (!fault) connection.subscribe({ filter, qos: 0 }).catch(complain);
  };
  return (
    <Group gap="xs" align="flex-start">
      <TextInput
        aria-label="Topic filter to follow"
        value={filter}
        onChange={(event) => setFilter(event.currentTarget.value)}
        error={fault}
        w={240}
        classNames={{ input: "mono" }}
      />
      <Button variant="default" onClick={follow} disabled={followed || fault !== undefined}>
        Follow
      </Button>
      {wanted.map((one) => (
        <Button
          key={one.filter}
          variant="default"
          onClick={() => connection.unsubscribe(one.filter)}
          aria-label={`Stop to follow ${one.filter}`}
        >
          <span className="mono">{one.filter}</span>&nbsp;×
        </Button>
      ))}
    </Group>
  );
}
