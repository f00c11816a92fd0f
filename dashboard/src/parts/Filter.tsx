// A field that filters: it waits until the typing pauses.

import { TextInput, type TextInputProps } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { Icon } from "./Icon";

interface FilterProps extends Omit<TextInputProps, "value" | "onChange"> {
  label: string;
  value: string;
  onFilter: (value: string) => void;
}

/** What is filtered by; its label is its placeholder too. */
export function Filter({ label, value, onFilter, ...rest }: FilterProps) {
  const [typed, setTyped] = useState(value);
  const later = useDebouncedCallback(onFilter, 250);
  useEffect(() => setTyped(value), [value]);
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      leftSection={<Icon name="search" size={14} />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        later(event.currentTarget.value);
      }}
      // Whoever goes on to something else has typed all: what came later would call the page back.
      onBlur={() => later.flush()}
      {...rest}
    />
  );
}
