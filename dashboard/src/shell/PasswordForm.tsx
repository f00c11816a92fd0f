import { Button, Group, Modal, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { passwordFault } from "../lib/people";
import { tell } from "../parts/confirm";
import { FormFailure } from "../parts/Page";

interface PasswordFormProps {
  username: string;
  isOpen: boolean;
  close: () => void;
}

/** Puts another password in the place of one's own. */
export function PasswordForm({ username, isOpen, close }: PasswordFormProps) {
  return (
    <Modal opened={isOpen} onClose={close} title="Change your password">
      <Fields username={username} close={close} />
    </Modal>
  );
}

function Fields({ username, close }: { username: string; close: () => void }) {
  const form = useForm({
    initialValues: { old: "", fresh: "", again: "" },
    validate: {
      fresh: passwordFault,
      again: (again, values) => (again === values.fresh ? null : "The two are not the same"),
    },
  });
  const change = useMutation({
    mutationFn: (values: typeof form.values) =>
      answered(
        api.POST("/api/v5/users/{username}/change_pwd", {
          params: { path: { username } },
          body: { old_pwd: values.old, new_pwd: values.fresh },
        }),
      ),
    onSuccess: () => {
      close();
      tell("Your password is changed.");
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => change.mutate(values))}>
      <Stack gap="sm">
        <PasswordInput
          label="Password of now"
          autoComplete="current-password"
          required
          {...form.getInputProps("old")}
          data-autofocus
        />
        <PasswordInput
          label="New password"
          autoComplete="new-password"
          required
          {...form.getInputProps("fresh")}
        />
        <PasswordInput
          label="New password again"
          autoComplete="new-password"
          required
          {...form.getInputProps("again")}
        />
        <FormFailure error={change.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending}>
            Change password
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
