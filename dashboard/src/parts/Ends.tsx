import { Button, Group } from "@mantine/core";

interface EndsProps {
  close: () => void;
  act: string;
  isBusy: boolean;
}

/** How a form ends: with nothing, or with what it is for. */
export function Ends({ close, act, isBusy }: EndsProps) {
  return (
    <Group justify="flex-end" gap="xs" mt="xs">
      <Button variant="default" onClick={close}>
        Cancel
      </Button>
      <Button type="submit" loading={isBusy}>
        {act}
      </Button>
    </Group>
  );
}
