import { TextInput, type TextInputProps } from "@mantine/core";
import { digitsOf } from "../lib/people";

interface CodeInputProps extends Omit<TextInputProps, "onChange"> {
  onChange: (code: string) => void;
}

/** The six digits that an app shows; what else is pasted with them is left out. */
export function CodeInput({ onChange, ...rest }: CodeInputProps) {
  return (
    <TextInput
      label="Code of your app"
      description="Six digits, which change every half minute. Each is taken once."
      autoComplete="one-time-code"
      inputMode="numeric"
      required
      withAsterisk={false}
      classNames={{ input: "mono" }}
      onChange={(event) => onChange(digitsOf(event.currentTarget.value))}
      {...rest}
    />
  );
}
