// A payload, in the format that one wants to see.

import { SegmentedControl, Stack } from "@mantine/core";
import { useEffect, useMemo, useState } from "react";
import { bytes as sizeOf } from "../lib/format";
import { detect, type Format, type Reading, read } from "../lib/payload";
import styles from "./Payload.module.css";
import { CopyButton } from "./Words";

const FORMATS: { value: Format; label: string }[] = [
  { value: "json", label: "JSON" },
  { value: "text", label: "Text" },
  { value: "cbor", label: "CBOR" },
  { value: "msgpack", label: "MsgPack" },
  { value: "image", label: "Image" },
  { value: "hex", label: "Hex" },
];

interface PayloadProps {
  payload: Uint8Array;
  /** How many bytes there are, where the payload is only the beginning. */
  size?: number | undefined;
  /** The format that was chosen; none for the one that fits. */
  format: Format | undefined;
  choose: (format: Format) => void;
}

/** The payload with a choice of formats, of which only those that fit can be chosen. */
export function Payload({ payload, size = payload.length, format, choose }: PayloadProps) {
  const detected = useMemo(() => detect(payload), [payload]);
  const shown = format ?? detected;
  const reading = useMemo(() => read(payload, shown), [payload, shown]);
  const text = reading?.text ?? "";
  return (
    <Stack gap={8}>
      <div style={{ display: "flex", gap: 8, alignItems: "center", flexWrap: "wrap" }}>
        <SegmentedControl
          aria-label="Format"
          value={shown}
          onChange={(value) => choose(value as Format)}
          data={FORMATS.map((one) => ({
            ...one,
            disabled: one.value !== shown && !read(payload, one.value),
          }))}
        />
        <span className="muted number">
          {payload.length < size && `the first ${sizeOf(payload.length)} of `}
          {sizeOf(size)}
        </span>
        {text && <CopyButton text={text} label="payload" />}
      </div>
      <Shown payload={payload} reading={reading} format={shown} />
    </Stack>
  );
}

interface ShownProps {
  payload: Uint8Array;
  reading: Reading | undefined;
  format: Format;
}

function Shown({ payload, reading, format }: ShownProps) {
  if (reading?.mediaType) return <Picture payload={payload} mediaType={reading.mediaType} />;
  const name = FORMATS.find((one) => one.value === format)?.label;
  const words = reading ? reading.text || "(empty)" : `This payload is no ${name}.`;
  return (
    <pre className={styles.payload} data-format={format} tabIndex={0}>
      {words}
    </pre>
  );
}

function Picture({ payload, mediaType }: { payload: Uint8Array; mediaType: string }) {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const url = URL.createObjectURL(new Blob([new Uint8Array(payload)], { type: mediaType }));
    setAddress(url);
    return () => URL.revokeObjectURL(url);
  }, [payload, mediaType]);
  return address ? (
    <img className={styles.image} src={address} alt={`The payload, ${mediaType}`} />
  ) : null;
}
