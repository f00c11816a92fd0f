// What of the node was made by its API, taken away as a file and brought back.

import { Alert, Button, Checkbox, FileInput, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api, type Restored } from "../api/client";
import { session } from "../api/session";
import { type Contents, contentsOf, fileFault } from "../lib/backup";
import { count, plural } from "../lib/format";
import { save } from "../lib/save";
import { confirm } from "../parts/confirm";
import { FormFailure, Note, Panel } from "../parts/Page";
import { Facts, Moment } from "../parts/Words";

/** Export and import. */
export function Backup() {
  return (
    <>
      <Export />
      <Import />
    </>
  );
}

function Export() {
  const act = useMutation({
    mutationFn: async () => {
      // The text as it came: numbers of any size stay as they are.
      const text = await answered(api.POST("/api/v5/data/export", { parseAs: "text" }));
      const { node, madeAt } = contentsOf(text);
      save(fileName(node, madeAt), text, "application/json");
    },
  });
  return (
    <Panel title="Export">
      <Stack gap="sm" align="flex-start">
        <Text size="sm">
          What was made while the node runs: changed keys of the configuration, MQTT users and
          rules, bans, and users and keys of the API. The configuration file, certificates, messages
          and sessions are not in it.
        </Text>
        <Note>
          The file holds hashes of passwords and the secrets of second factors. Keep it where nobody
          else reads it.
        </Note>
        <FormFailure error={act.error} />
        <Button loading={act.isPending} onClick={() => act.mutate()}>
          Export
        </Button>
      </Stack>
    </Panel>
  );
}

/** A name that every system takes. */
function fileName(node: string, madeAt: string | undefined): string {
  const words = ["plexus", node, madeAt?.slice(0, 10) ?? ""].filter((word) => word !== "");
  return `${words.join("-").replace(/[^A-Za-z0-9._-]/g, "_")}.json`;
}

interface Chosen {
  text: string;
  contents: Contents;
}

async function read(file: File): Promise<Chosen> {
  const fault = fileFault(file.size);
  if (fault) throw new Error(fault);
  const text = await file.text();
  return { text, contents: contentsOf(text) };
}

function Import() {
  const [file, setFile] = useState<File | null>(null);
  const [replaces, setReplaces] = useState(false);
  const [restored, setRestored] = useState<Restored>();
  const chosen = useMutation({ mutationFn: read, gcTime: 0 });
  const choose = (wanted: File | null) => {
    setFile(wanted);
    setRestored(undefined);
    chosen.reset();
    if (wanted) chosen.mutate(wanted);
  };
  const ask = useImport((taken) => {
    choose(null);
    setRestored(taken);
  });
  return (
    <Panel title="Import">
      <Stack gap="sm" align="flex-start">
        <FileInput
          label="Backup file"
          placeholder="Choose a file"
          accept=".json,application/json"
          clearable
          clearButtonProps={{ "aria-label": "Choose no file" }}
          value={file}
          onChange={choose}
          w={320}
          maw="100%"
        />
        <FormFailure error={chosen.error} />
        {chosen.data && (
          <>
            <Preview contents={chosen.data.contents} />
            <Checkbox
              label="Replace what is there already"
              description="Without it what has the same name stays as it is. What is not in the file stays in any case."
              checked={replaces}
              onChange={(event) => setReplaces(event.currentTarget.checked)}
            />
            <Button
              variant="default"
              disabled={chosen.data.contents.counts.every(([, number]) => number === 0)}
              onClick={() => ask(chosen.data, replaces)}
            >
              Import…
            </Button>
          </>
        )}
        {restored && <Result restored={restored} />}
      </Stack>
    </Panel>
  );
}

/** Asks whether a backup is to be taken, and gives it to the node. */
function useImport(taken: (restored: Restored) => void) {
  const queries = useQueryClient();
  return ({ text, contents }: Chosen, replace: boolean) =>
    confirm({
      title: "Import this backup?",
      body: (
        <Stack gap="sm">
          <Summary contents={contents} />
          <div>
            {replace
              ? "What has the same name here is replaced. Users of the API have the passwords and roles of the file then, and those who are others now are logged out, you among them."
              : "What has the same name here stays as it is."}{" "}
            Who may log in and connect by what is in the file may do so at once.
          </div>
        </Stack>
      ),
      act: "Import",
      done: "The backup is taken.",
      run: async () => {
        try {
          taken(await give(text, replace));
        } finally {
          // What came before something that failed was taken as well.
          if (session.get()) await queries.invalidateQueries();
        }
      },
    });
}

function give(text: string, replace: boolean): Promise<Restored> {
  return answered(
    api.POST("/api/v5/data/import", {
      params: { query: { replace } },
      body: JSON.parse(text),
      // The text as it is in the file, in which numbers of any size stay as they are.
      bodySerializer: () => text,
    }),
  );
}

function Summary({ contents }: { contents: Contents }) {
  const parts = contents.counts.filter(([, number]) => number > 0);
  return <Facts facts={parts.map(([what, number]): [string, string] => [what, count(number)])} />;
}

function Preview({ contents }: { contents: Contents }) {
  return (
    <Facts
      facts={[
        ["Of the node", contents.node || "–"],
        ["Made", <Moment key="made" at={contents.madeAt} />],
        ...contents.counts.map(([what, number]): [string, string] => [what, count(number)]),
      ]}
    />
  );
}

function Result({ restored }: { restored: Restored }) {
  const { waits, left } = restored;
  return (
    <Alert role="status" title="The backup is taken" w="100%">
      <Facts
        facts={[
          ["Users and keys of the API", count(restored.people)],
          ["Keys of the configuration", count(restored.configuration)],
          ["MQTT users", count(restored.accounts)],
          ["Lists of rules", count(restored.rules)],
          ["Bans", count(restored.bans)],
          [
            "Left as it was",
            left === 0 ? "nothing" : `${plural(left, "entry", "entries")}, there already`,
          ],
          ["Waits for the next start", waits.length === 0 ? "nothing" : waits.join(", ")],
        ]}
      />
    </Alert>
  );
}
