// All keys by section, with their values and where those come from.

import { Button, Group, SegmentedControl, Select } from "@mantine/core";
import { useViewportSize } from "@mantine/hooks";
import { useMemo, useState } from "react";
import type { ConfigChanges, EffectiveConfig } from "../api/client";
import { useParams } from "../lib/params";
import { useStore } from "../lib/store";
import { Filter } from "../parts/Filter";
import { Empty, Panel } from "../parts/Page";
import { Status, Worded } from "../parts/Words";
import { draft } from "./draft";
import { EditKey } from "./EditKey";
import { SourceMark } from "./SourceMark";
import { type Spec, sectionAbout, specsOf } from "./schema";
import styles from "./settings.module.css";
import { isWithin, shown, sourceOf, touches, valueAt } from "./values";

interface ValuesProps {
  config: EffectiveConfig;
  changes: ConfigChanges | undefined;
  mayEdit: boolean;
}

const SHOW = [
  { value: "", label: "All" },
  { value: "set", label: "Not default" },
  { value: "changed", label: "Changed" },
];
/** From this width on the sections stand beside the keys. */
const WIDE = 1000;

/** The keys that are asked for. */
function wanted({ config }: ValuesProps, params: URLSearchParams): Spec[] {
  const words = (params.get("find") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const show = params.get("show") ?? "";
  return specsOf(config.config).filter((spec) => {
    const { kind } = sourceOf(config.origins, spec.key);
    if (show === "set" && kind === "default") return false;
    if (show === "changed" && kind !== "changed") return false;
    const text = `${spec.key} ${spec.about} ${shown(valueAt(config.config, spec.path))}`;
    return words.every((word) => text.toLowerCase().includes(word));
  });
}

/** The configuration as it is. */
export function Values(props: ValuesProps) {
  const [params, setParams] = useParams();
  const [opened, setOpened] = useState<Spec>();
  const { width } = useViewportSize();
  const specs = useMemo(() => wanted(props, params), [props, params]);
  const sections = [...new Set(specs.map((spec) => spec.path[0] ?? ""))];
  const section = sections.find((one) => one === params.get("section"));
  const isNarrow = width > 0 && width < WIDE;
  const changed = props.changes?.changes.find((one) => one.key === opened?.key);
  const choose = (one: string) => setParams({ section: one });
  return (
    <>
      <Group gap="sm">
        <Filter
          label="Key, value or meaning…"
          value={params.get("find") ?? ""}
          onFilter={(find) => setParams({ find })}
          w={260}
        />
        <SegmentedControl
          aria-label="Which keys"
          data={SHOW}
          value={params.get("show") ?? ""}
          onChange={(show) => setParams({ show })}
        />
        {isNarrow && (
          <Select
            aria-label="Section"
            data={[{ value: "", label: "All sections" }, ...sections]}
            allowDeselect={false}
            value={section ?? ""}
            onChange={(one) => choose(one ?? "")}
            w={160}
          />
        )}
      </Group>
      <div className={isNarrow ? undefined : styles.beside}>
        {!isNarrow && <Sections sections={sections} specs={specs} now={section} choose={choose} />}
        <div className={styles.sections}>
          {specs.length === 0 && (
            <Empty icon="search" title="No key is like that">
              The name of a key, its value and what it means are looked at.
            </Empty>
          )}
          {sections
            .filter((one) => section === undefined || one === section)
            .map((one) => (
              <Section key={one} section={one} specs={specs} open={setOpened} {...props} />
            ))}
        </div>
      </div>
      {opened && (
        <EditKey
          spec={opened}
          config={props.config}
          changed={changed}
          mayEdit={props.mayEdit}
          close={() => setOpened(undefined)}
        />
      )}
    </>
  );
}

interface SectionsProps {
  sections: string[];
  specs: Spec[];
  now: string | undefined;
  choose: (section: string) => void;
}

function Sections({ sections, specs, now, choose }: SectionsProps) {
  const entry = (section: string, label: string, count: number) => (
    <li key={section}>
      <button
        type="button"
        className={styles.section}
        aria-pressed={(now ?? "") === section}
        onClick={() => choose(section)}
      >
        {label} <span className="number muted">{count}</span>
      </button>
    </li>
  );
  return (
    <nav aria-label="Sections" className={styles.sectionList}>
      <ul>
        {entry("", "All sections", specs.length)}
        {sections.map((section) =>
          entry(section, section, specs.filter((spec) => spec.path[0] === section).length),
        )}
      </ul>
    </nav>
  );
}

interface SectionProps extends ValuesProps {
  section: string;
  specs: Spec[];
  open: (spec: Spec) => void;
}

function Section({ section, specs, ...rest }: SectionProps) {
  return (
    <Panel
      isPadded={false}
      title={<span className="mono">{section}</span>}
      aside={
        <span className={styles.sectionAbout}>
          <Worded text={firstSentence(sectionAbout(section))} />
        </span>
      }
    >
      <ul className={styles.keys}>
        {specs
          .filter((spec) => spec.path[0] === section)
          .map((spec) => (
            <KeyRow key={spec.key} spec={spec} {...rest} />
          ))}
      </ul>
    </Panel>
  );
}

/** The first sentence says what it is; the others stand in the dialog. */
function firstSentence(text: string): string {
  return /^.*?[.;](?=\s|$)/.exec(text)?.[0].replace(/;$/, ".") ?? text;
}

interface KeyRowProps extends ValuesProps {
  spec: Spec;
  open: (spec: Spec) => void;
}

function KeyRow({ spec, config, changes, mayEdit, open }: KeyRowProps) {
  const value = valueAt(config.config, spec.path);
  const edit = useStore(draft).edits.find((one) => one.key === spec.key);
  const hidden = changes?.changes.find((one) => isWithin(one.key, spec.key) && one.hidden_by);
  const text = shown(value);
  return (
    <li className={styles.key}>
      <div className={styles.name}>
        <span className="mono">{spec.path.slice(1).join(".") || spec.key}</span>
        <span className={styles.keyAbout} title={spec.about}>
          <Worded text={firstSentence(spec.about)} />
        </span>
      </div>
      <div className={styles.value}>
        <span className={`mono ${value === undefined ? "muted" : ""}`} title={text}>
          {text}
        </span>
        {edit && <Status kind="warn">to be changed</Status>}
        {changes && touches(changes.waits, spec.key) && (
          <Status kind="warn">waits for the next start</Status>
        )}
        {hidden && <Status kind="bad">hides a change</Status>}
      </div>
      <SourceMark source={sourceOf(config.origins, spec.key)} />
      <Button
        variant="subtle"
        size="compact-xs"
        aria-label={`${mayEdit ? "Change" : "Show"} ${spec.key}`}
        onClick={() => open(spec)}
      >
        {mayEdit ? "Change" : "Show"}
      </Button>
    </li>
  );
}
