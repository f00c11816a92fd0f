import { Button, Group, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Stream, StreamState } from "../api/stream";
import { count } from "../lib/format";
import { useParams } from "../lib/params";
import { Store, useStore } from "../lib/store";
import { filterFault } from "../lib/topics";
import { complain } from "../parts/confirm";
import { Filter } from "../parts/Filter";
import { Empty, Page, Panel } from "../parts/Page";
import { Status } from "../parts/Words";
import * as feed from "../topics/feed";
import { TopicDetail } from "../topics/TopicDetail";
import { TreeView } from "../topics/TreeView";
import styles from "../topics/topics.module.css";

const ALL = "#";
const OPENING = new Store<StreamState>({ kind: "opening" });

/** The topics that have a retained message, or to which messages come, as they come. */
export default function Topics() {
  const [params, setParams] = useParams();
  const filter = params.get("filter") ?? ALL;
  const selected = params.get("topic") ?? undefined;
  const version = useStore(feed.version);
  const { tree } = feed;
  const [search, setSearch] = useState("");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const state = useFeed(filter);
  const level = selected === undefined ? undefined : tree.find(selected);
  const lead =
    tree.size > 0 ? `${count(tree.size)} levels, ${count(tree.root.total)} messages` : undefined;
  return (
    <Page
      title="Topics"
      isFilling
      lead={lead}
      acts={<Follow filter={filter} setFilter={(wanted) => setParams({ filter: wanted })} />}
    >
      <div className={styles.topics}>
        <Panel
          title={<StreamStatus state={state} />}
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
            <Empty icon="topics" title="No message yet">
              Topics with a retained message come at once, others as messages are published to them.
            </Empty>
          ) : (
            <TreeView
              tree={tree}
              version={version}
              open={open}
              setOpen={setOpen}
              selected={selected}
              select={(topic) => setParams({ topic })}
              wanted={search}
            />
          )}
          {tree.left > 0 && (
            <div className={styles.foot}>
              The tree is full: {count(tree.left)} messages to further topics are left out.
            </div>
          )}
        </Panel>
        {level ? (
          <TopicDetail key={level.path} level={level} />
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

/** Follows topics for as long as the page is there. */
function useFeed(filter: string): StreamState {
  const [stream, setStream] = useState<Stream>();
  useEffect(() => {
    if (filterFault(filter)) return;
    feed.addRetained(filter).catch(complain);
    const followed = feed.follow(filter);
    setStream(followed);
    return () => followed.close();
  }, [filter]);
  return useStore(stream?.state ?? OPENING);
}

/** How a live view is doing, in a word. */
export function StreamStatus({ state }: { state: StreamState }) {
  if (state.kind === "on") return <Status kind="good">Live</Status>;
  if (state.kind === "opening") return <Status kind="none">Opening…</Status>;
  return <Status kind="warn">{state.why}</Status>;
}

function Follow({ filter, setFilter }: { filter: string; setFilter: (filter: string) => void }) {
  const [typed, setTyped] = useState(filter);
  const fault = filterFault(typed);
  const follow = () => {
    feed.forget();
    setFilter(typed === ALL ? "" : typed);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!fault) follow();
      }}
    >
      <Group gap="xs" align="flex-start">
        <TextInput
          aria-label="Topic filter to follow"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          error={fault}
          w={220}
          classNames={{ input: "mono" }}
        />
        <Button type="submit" variant="default" disabled={fault !== undefined}>
          Follow
        </Button>
        <Button variant="default" onClick={feed.forget}>
          Empty the tree
        </Button>
      </Group>
    </form>
  );
}
