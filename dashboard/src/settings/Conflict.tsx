import { Button, Group } from "@mantine/core";
import { Icon } from "../parts/Icon";
import { Note } from "../parts/Page";
import { Moment } from "../parts/Words";
import { useHistory } from "./queries";

/** That somebody else came first: who it was, and a way to look at what holds now. */
export function Conflict({ look }: { look: () => void }) {
  const newest = useHistory().data?.[0];
  return (
    <Note isAlert>
      <Group justify="space-between" gap="xs">
        <span>
          <b>Somebody else has changed the configuration meanwhile.</b>{" "}
          {newest && newest.version > 0 && (
            <>
              Version {newest.version} is by {newest.by}, <Moment at={newest.at} />.{" "}
            </>
          )}
          Nothing of yours is applied, and nothing is lost.
        </span>
        <Button variant="default" leftSection={<Icon name="refresh" />} onClick={look}>
          Look again
        </Button>
      </Group>
    </Note>
  );
}
