// The right field for a key.

import { NumberInput, SegmentedControl, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { Worded } from "../parts/Words";
import type { Spec } from "./schema";
import styles from "./settings.module.css";
import { written } from "./values";

/** What is typed, until it is a value. */
export type Typed = string;

/** The text that a field begins with. */
export function typedOf(spec: Spec, value: unknown): Typed {
  if (value === undefined || value === null) return spec.kind === "flag" ? "false" : "";
  return spec.kind === "data" ? written(value) : String(value);
}

/** The value of what was typed; it fails with what is wrong. */
export function readTyped(spec: Spec, typed: Typed): unknown {
  if (spec.kind === "flag") return typed === "true";
  if (spec.kind === "number") {
    const number = Number(typed);
    if (typed.trim() === "" || !Number.isFinite(number)) throw new Error("A number is wanted");
    return number;
  }
  if (spec.kind !== "data") return typed;
  try {
    return JSON.parse(typed);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new Error(`This is no JSON: ${words}`);
  }
}

interface FieldProps {
  spec: Spec;
  typed: Typed;
  onType: (typed: Typed) => void;
  fault: string | undefined;
}

/** A field for the value of a key. */
export function Field({ spec, typed, onType, fault }: FieldProps) {
  const common = {
    label: "Value",
    error: fault && <Worded text={fault} />,
    "data-autofocus": true,
  };
  if (spec.kind === "flag") return <FlagField typed={typed} onType={onType} fault={fault} />;
  if (spec.kind === "choice") {
    const about = spec.choices.find((choice) => choice.value === typed)?.about;
    return (
      <Select
        {...common}
        allowDeselect={false}
        data={spec.choices.map((choice) => choice.value)}
        value={typed === "" ? null : typed}
        onChange={(value) => onType(value ?? "")}
        description={about}
        inputWrapperOrder={["label", "input", "description", "error"]}
      />
    );
  }
  if (spec.kind === "number") {
    const { minimum, maximum } = spec;
    const range = maximum === undefined ? `${minimum} or more` : `${minimum} to ${maximum}`;
    return (
      <NumberInput
        {...common}
        value={typed}
        onChange={(value) => onType(String(value))}
        allowDecimal={false}
        thousandSeparator=" "
        description={minimum === undefined ? undefined : range}
        inputWrapperOrder={["label", "input", "description", "error"]}
      />
    );
  }
  if (spec.kind === "data") {
    return (
      <Textarea
        {...common}
        label="Value, as JSON"
        classNames={{ input: `mono ${styles.json}` }}
        autosize
        minRows={5}
        maxRows={18}
        spellCheck={false}
        value={typed}
        onChange={(event) => onType(event.currentTarget.value)}
      />
    );
  }
  return (
    <TextInput
      {...common}
      classNames={{ input: "mono" }}
      description={spec.title}
      inputWrapperOrder={["label", "input", "description", "error"]}
      value={typed}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => onType(event.currentTarget.value)}
    />
  );
}

function FlagField({ typed, onType, fault }: Omit<FieldProps, "spec">) {
  return (
    <Stack gap={4} align="flex-start">
      <SegmentedControl
        aria-label="Value"
        data={[
          { value: "true", label: "true" },
          { value: "false", label: "false" },
        ]}
        value={typed}
        onChange={onType}
      />
      {fault && (
        <div className={styles.fault}>
          <Worded text={fault} />
        </div>
      )}
    </Stack>
  );
}
