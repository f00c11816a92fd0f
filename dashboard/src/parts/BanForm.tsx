// Lets somebody in no more.

import { Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered, api, type BanAs } from "../api/client";
import { tell } from "./confirm";
import { Ends } from "./Ends";
import { FormFailure } from "./Page";

/** By what somebody can be banned, in words. */
export const BAN_KINDS: { value: BanAs; label: string }[] = [
  { value: "clientid", label: "Client identifier" },
  { value: "username", label: "User name" },
  { value: "peerhost", label: "Address" },
  { value: "peerhost_net", label: "Network" },
];

const HOUR = 3_600_000;
const LASTS = [
  { value: "1", label: "An hour" },
  { value: "24", label: "A day" },
  { value: "168", label: "A week" },
  { value: "", label: "Until it is taken back" },
];

interface BanFormProps {
  isOpen: boolean;
  close: () => void;
  /** Who is meant, where that is known. */
  who?: { as: BanAs; who: string; tenant?: string | undefined };
}

/** A ban that is to be. */
export function BanForm({ isOpen, close, who }: BanFormProps) {
  return (
    <Modal opened={isOpen} onClose={close} title="Ban">
      <Fields close={close} who={who} />
    </Modal>
  );
}

function Fields({ close, who }: { close: () => void; who: BanFormProps["who"] }) {
  const queries = useQueryClient();
  const form = useForm({
    initialValues: {
      as: who?.as ?? ("clientid" as BanAs),
      who: who?.who ?? "",
      tenant: who?.tenant ?? "",
      reason: "",
      hours: "24",
    },
    validate: { who: (name) => (name.trim() ? null : "Say who is meant") },
  });
  const ban = useMutation({
    mutationFn: ({ hours, tenant, ...rest }: typeof form.values) => {
      const until =
        hours === ""
          ? ("infinity" as const)
          : new Date(Date.now() + Number(hours) * HOUR).toISOString();
      return answered(
        api.POST("/api/v5/banned", { body: { ...rest, until, tenant: tenant || null } }),
      );
    },
    onSuccess: async (made) => {
      close();
      tell(`${made.who} is banned.`);
      await queries.invalidateQueries({ queryKey: ["banned"] });
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => ban.mutate(values))}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          Who is meant is let in no more, and is disconnected at once. In identifiers and user names
          * stands for anything.
        </Text>
        <Select label="By" allowDeselect={false} data={BAN_KINDS} {...form.getInputProps("as")} />
        <TextInput
          label="Who"
          classNames={{ input: "mono" }}
          data-autofocus
          {...form.getInputProps("who")}
        />
        <Select label="For" allowDeselect={false} data={LASTS} {...form.getInputProps("hours")} />
        <TextInput label="Tenant" placeholder="None" {...form.getInputProps("tenant")} />
        <TextInput
          label="Reason"
          placeholder="What others are to know"
          {...form.getInputProps("reason")}
        />
        <FormFailure error={ban.error} />
        <Ends close={close} act="Ban" isBusy={ban.isPending} />
      </Stack>
    </form>
  );
}
