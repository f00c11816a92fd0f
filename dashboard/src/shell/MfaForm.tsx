import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiFailure, answered, api, type MfaBegun } from "../api/client";
import { mayChange, noteMfa, type Session } from "../api/session";
import { codeFault, groupsOf } from "../lib/people";
import { CodeInput } from "../parts/CodeInput";
import { tell } from "../parts/confirm";
import { Ends } from "../parts/Ends";
import { Failed, FormFailure, Waiting } from "../parts/Page";
import { CopyButton, Facts, Status } from "../parts/Words";
import { USERS, useEndMfa, useUsers } from "./mfa";

interface MfaFormProps {
  current: Session;
  isOpen: boolean;
  close: () => void;
}

/** Makes the second factor of one's own log-in, or ends it. */
export function MfaForm({ current, isOpen, close }: MfaFormProps) {
  return (
    <Modal opened={isOpen} onClose={close} title="Second factor">
      <Factor current={current} close={close} />
    </Modal>
  );
}

interface FactorProps {
  current: Session;
  close: () => void;
}

function Factor({ current, close }: FactorProps) {
  // Only administrators are told about users; of others it is known how they have logged in.
  const isTold = mayChange(current.role);
  const users = useUsers(isTold);
  const begun = useMutation({
    mutationFn: () => {
      const params = { path: { username: current.username } };
      return answered(api.POST("/api/v5/users/{username}/mfa", { params }));
    },
    // It was made elsewhere meanwhile.
    onError: (error) => {
      if (isThere(error)) noteMfa(true);
    },
    // The secret is not kept longer than it is shown.
    gcTime: 0,
  });
  if (isTold && !users.data) {
    if (users.isError) return <Failed error={users.error} retry={() => users.refetch()} />;
    return <Waiting />;
  }
  const own = users.data?.find((user) => user.username === current.username);
  const isOn = own ? own.mfa === "totp" : current.hasMfa === true;
  if (isOn || isThere(begun.error)) return <On current={current} close={close} />;
  if (begun.data) return <Confirm current={current} begun={begun.data} close={close} />;
  return (
    <Stack gap="sm">
      <Text size="sm">
        Your log-ins will need a code, too, which an app shows on a device of yours. Whoever learns
        your password cannot log in with it alone.
      </Text>
      <FormFailure error={begun.error} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button loading={begun.isPending} onClick={() => begun.mutate()} data-autofocus>
          Set up
        </Button>
      </Group>
    </Stack>
  );
}

const isThere = (error: unknown) => error instanceof ApiFailure && error.code === "NOT_ALLOWED";

function On({ current, close }: FactorProps) {
  const end = useEndMfa();
  const ask = () => {
    close();
    end(current.username);
  };
  return (
    <Stack gap="sm">
      <Status kind="good">Your log-ins need a code of your app.</Status>
      <Text size="sm">
        To have another app, end the second factor and set it up anew. An administrator can end it
        for you if the app is lost.
      </Text>
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={ask}>
          End second factor
        </Button>
        <Button onClick={close} data-autofocus>
          Close
        </Button>
      </Group>
    </Stack>
  );
}

/** What an app opens that has told the browser of itself. */
function AppLink({ uri }: { uri: string }) {
  // The browser is to follow nothing else.
  if (!uri.startsWith("otpauth://")) return <span className="mono">{uri}</span>;
  return <a href={uri}>Open in an app of this device</a>;
}

function Confirm({ current, begun, close }: FactorProps & { begun: MfaBegun }) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { code: "" }, validate: { code: codeFault } });
  const act = useMutation({
    mutationFn: ({ code }: typeof form.values) =>
      answered(
        api.POST("/api/v5/users/{username}/mfa/confirm", {
          params: { path: { username: current.username } },
          body: { mfa_token: code },
        }),
      ),
    onSuccess: async () => {
      close();
      noteMfa(true);
      tell("From now on your log-ins need a code.");
      await queries.invalidateQueries({ queryKey: USERS });
    },
    onError: () => form.setFieldValue("code", ""),
  });
  return (
    <form onSubmit={form.onSubmit((values) => act.mutate(values))}>
      <Stack gap="sm">
        <Text size="sm">
          Add an entry with this secret to your app. It is shown this once, and ends in ten minutes
          if no code of it confirms it.
        </Text>
        <Facts
          facts={[
            [
              "Secret",
              <Group key="secret" gap={4} wrap="nowrap">
                <span className="mono">{groupsOf(begun.secret)}</span>
                <CopyButton text={begun.secret} label="secret" />
              </Group>,
            ],
            ["Kind", "by time, six digits, SHA-1, 30 seconds"],
            ["Link", <AppLink key="link" uri={begun.uri} />],
          ]}
        />
        <CodeInput autoFocus {...form.getInputProps("code")} />
        <FormFailure error={act.error} />
        <Ends close={close} act="Confirm" isBusy={act.isPending} />
      </Stack>
    </form>
  );
}
