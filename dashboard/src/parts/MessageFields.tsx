// What a message is made of, for every form that publishes one.

import { Checkbox, Group, SegmentedControl, Textarea, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { fromHex } from "../lib/payload";
import { topicFault } from "../lib/topics";

/** How a payload is typed. */
export type Typed = "text" | "json" | "hex" | "base64";

/** What is typed into the form of a message. */
export interface MessageValues {
  topic: string;
  payload: string;
  typed: Typed;
  qos: string;
  retain: boolean;
}

export const FIRST_MESSAGE: MessageValues = {
  topic: "",
  payload: "",
  typed: "text",
  qos: "0",
  retain: false,
};

/** The bytes of a payload as it was typed; throws with what is wrong. */
export function bytesOf(payload: string, typed: Typed): Uint8Array<ArrayBuffer> {
  if (typed === "hex") {
    const bytes = fromHex(payload);
    if (!bytes) throw new Error("Pairs of hexadecimal digits, such as 0a ff");
    return new Uint8Array(bytes);
  }
  if (typed === "base64") return bytesOfBase64(payload);
  if (typed === "json") checkJson(payload);
  return new Uint8Array(new TextEncoder().encode(payload));
}

function bytesOfBase64(payload: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(payload.replace(/\s+/g, "")), (one) => one.charCodeAt(0));
  } catch {
    throw new Error("This is not base64");
  }
}

function checkJson(payload: string) {
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new Error(`This is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What is wrong with a message that is to be published. */
export const MESSAGE_CHECKS = {
  topic: (topic: string) => topicFault(topic) ?? null,
  payload: (payload: string, { typed }: MessageValues) => {
    try {
      bytesOf(payload, typed);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
};

interface MessageFieldsProps<T extends MessageValues> {
  form: UseFormReturnType<T>;
  rows?: number;
}

/** The fields. */
export function MessageFields<T extends MessageValues>({ form, rows = 5 }: MessageFieldsProps<T>) {
  return (
    <>
      <TextInput
        label="Topic"
        placeholder="plant/line1/lamp"
        required
        withAsterisk={false}
        classNames={{ input: "mono" }}
        autoComplete="off"
        {...form.getInputProps("topic")}
      />
      <Textarea
        label="Payload"
        autosize
        minRows={rows}
        maxRows={18}
        classNames={{ input: "mono" }}
        spellCheck={false}
        {...form.getInputProps("payload")}
      />
      <Group gap="sm">
        <SegmentedControl
          aria-label="How the payload is written"
          data={[
            { value: "text", label: "Text" },
            { value: "json", label: "JSON" },
            { value: "hex", label: "Hex" },
            { value: "base64", label: "Base64" },
          ]}
          {...form.getInputProps("typed")}
        />
        <SegmentedControl
          aria-label="Quality of service"
          data={["0", "1", "2"].map((qos) => ({ value: qos, label: `QoS ${qos}` }))}
          {...form.getInputProps("qos")}
        />
        <Checkbox label="Retain" {...form.getInputProps("retain", { type: "checkbox" })} />
      </Group>
    </>
  );
}
