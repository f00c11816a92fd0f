// Acts that destroy something ask first, and say what went wrong if they did not succeed.

import { Button, Group, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { messageOf } from "../api/client";
import { FormFailure } from "./Page";

interface Question {
  title: string;
  /** What will happen. */
  body: ReactNode;
  /** The word on the button that does it. */
  act: string;
  /** What is said when it is done. */
  done: string;
  run: () => Promise<unknown>;
}

/** Asks, and does it if the answer is yes. */
export function confirm(question: Question) {
  const modalId = modals.open({
    title: question.title,
    children: <Answer question={question} close={() => modals.close(modalId)} />,
  });
}

function Answer({ question, close }: { question: Question; close: () => void }) {
  const act = useMutation({
    mutationFn: question.run,
    onSuccess: () => {
      close();
      tell(question.done);
    },
  });
  return (
    <Stack gap="md">
      <Text size="sm" component="div" style={{ overflowWrap: "anywhere" }}>
        {question.body}
      </Text>
      <FormFailure error={act.error} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={close} data-autofocus>
          Cancel
        </Button>
        <Button
          color="red.8"
          autoContrast={false}
          loading={act.isPending}
          onClick={() => act.mutate()}
        >
          {question.act}
        </Button>
      </Group>
    </Stack>
  );
}

// Whoever does not see the cross hears what it is.
const closeButtonProps = { "aria-label": "Close" };

/** Says that something is done. */
export function tell(message: string) {
  notifications.show({ message, color: "accent", closeButtonProps });
}

/** Says that something went wrong. */
export function complain(error: unknown) {
  notifications.show({
    message: messageOf(error),
    color: "red",
    autoClose: 10_000,
    closeButtonProps,
  });
}
