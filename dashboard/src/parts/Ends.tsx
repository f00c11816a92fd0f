import { Button, Group } from "@mantine/core";

interface EndsProps {
  close: () => void;
  act: string;
  isBusy: boolean;
  /** Whether it cannot be done as things are. */
  isOff?: boolean;
}

/** How a form ends: with nothing, or with what it is for. */
export function Ends({ close, act, isBusy, isOff = false }: EndsProps) {
  return (
    <Group justify="flex-end" gap="xs" mt="xs">
      <Button variant="default" onClick={close}>
        Cancel
      </Button>
      <Button type="submit" loading={isBusy} disabled={isOff}>
        {act}
      </Button>
    </Group>
  );
}
