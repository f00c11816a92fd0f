// A user who is to be, or to be another. Passwords go to the node, and never come back.

import { Checkbox, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { addUser, changeUser } from "../api/accounts";
import type { MqttUser } from "../api/client";
import { tell } from "../parts/confirm";
import { Ends } from "../parts/Ends";
import { FormFailure } from "../parts/Page";
import { TenantPick } from "./TenantPick";

interface FormProps {
  close: () => void;
  /** Called when it is done, before the form closes. */
  done: () => Promise<unknown>;
}

const SUPERUSER = "No rule holds for this user: everything is allowed";

/** A new user. */
export function NewUser({ close, done, tenant }: FormProps & { tenant: string }) {
  const form = useForm({
    initialValues: { user_id: "", password: "", is_superuser: false, tenant },
    validate: {
      user_id: (name) => (name === "" ? "Say a name" : null),
      password: (password) => (password === "" ? "Say a password" : null),
    },
  });
  const add = useMutation({
    mutationFn: (user: typeof form.values) => addUser({ ...user, tenant: user.tenant || null }),
    onSuccess: async (_, { user_id }) => {
      await done();
      close();
      tell(`${user_id} may connect now.`);
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => add.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          autoComplete="off"
          classNames={{ input: "mono" }}
          data-autofocus
          {...form.getInputProps("user_id")}
        />
        <PasswordInput
          label="Password"
          autoComplete="new-password"
          {...form.getInputProps("password")}
        />
        <TenantPick
          label="Whose user"
          value={form.values.tenant}
          onPick={(one) => form.setFieldValue("tenant", one)}
        />
        <Checkbox label={SUPERUSER} {...form.getInputProps("is_superuser", { type: "checkbox" })} />
        <FormFailure error={add.error} />
        <Ends close={close} act="Create user" isBusy={add.isPending} />
      </Stack>
    </form>
  );
}

/** Another password for a user, or whether rules hold. */
export function ChangeUser({ user, close, done }: FormProps & { user: MqttUser }) {
  const form = useForm({ initialValues: { password: "", is_superuser: user.is_superuser } });
  const change = useMutation({
    mutationFn: ({ password, is_superuser }: typeof form.values) =>
      changeUser(user, { is_superuser, ...(password ? { password } : {}) }),
    onSuccess: async () => {
      await done();
      close();
      tell(`${user.user_id} is changed.`);
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => change.mutate(values))}>
      <Stack gap="sm">
        <TextInput label="Name" classNames={{ input: "mono" }} value={user.user_id} disabled />
        {user.tenant && <TextInput label="Tenant" value={user.tenant} disabled />}
        <PasswordInput
          label="New password"
          placeholder="As it is"
          autoComplete="new-password"
          data-autofocus
          {...form.getInputProps("password")}
        />
        <Checkbox label={SUPERUSER} {...form.getInputProps("is_superuser", { type: "checkbox" })} />
        <FormFailure error={change.error} />
        <Ends close={close} act="Save" isBusy={change.isPending} />
      </Stack>
    </form>
  );
}
