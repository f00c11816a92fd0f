// Colours and shapes. Everything that is drawn takes its colours from here or from styles/base.css.

import {
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from "@mantine/core";

const accent: MantineColorsTuple = [
  "#e3fbfa",
  "#c9f4f2",
  "#97e8e5",
  "#5fdad7",
  "#2dcac7",
  "#12b0ae",
  "#0b8f90",
  "#0a7377",
  "#0a5b5f",
  "#06474b",
];

/** Slate with a little of the accent in it, from text to ground. */
const slate: MantineColorsTuple = [
  "#d3dce2",
  "#b4c1ca",
  "#93a3af",
  "#74858f",
  "#33434d",
  "#24323b",
  "#182329",
  "#10191e",
  "#0c1418",
  "#080e11",
];

/** What stands on the accent has to be read in both schemes, in which the accent differs. */
const resolver: VariantColorsResolver = (input) => {
  const resolved = defaultVariantColorsResolver(input);
  const isAccent = input.variant === "filled" && (input.color ?? "accent") === "accent";
  return isAccent ? { ...resolved, color: "var(--on-accent)" } : resolved;
};

/** The look of all components. */
export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 4 },
  variantColorResolver: resolver,
  colors: { accent, dark: slate },
  defaultRadius: "sm",
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "JetBrains Mono", Menlo, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  headings: { fontWeight: "600" },
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "xs" } },
    TextInput: { defaultProps: { size: "xs", withAsterisk: false } },
    PasswordInput: { defaultProps: { size: "xs", withAsterisk: false } },
    Textarea: { defaultProps: { size: "xs", withAsterisk: false } },
    NumberInput: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "xs", comboboxProps: { shadow: "md" } } },
    SegmentedControl: { defaultProps: { size: "xs" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "xs" } },
    Badge: { defaultProps: { radius: "sm", variant: "light" } },
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true, multiline: true, maw: 320 } },
    Modal: { defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" } } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
  },
});
