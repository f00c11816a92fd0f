import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "react-router";
import { mayChange, session } from "../api/session";
import { count } from "../lib/format";
import { useStore } from "../lib/store";
import { complain } from "../parts/confirm";
import { countTopic, numberOf, useCounted, useRecount } from "./counts";

/** What the node has counted of a topic, or the way to have it counted. */
export function Counts({ topic }: { topic: string }) {
  const again = useRecount();
  const may = mayChange(useStore(session)?.role ?? "viewer");
  const begin = useMutation({
    mutationFn: () => countTopic(topic, ""),
    onError: complain,
    onSettled: again,
  });
  const all = useCounted().data;
  const found = all?.find((one) => one.topic === topic && !one.tenant);
  if (found) {
    return (
      <Link to="/counted">
        counted: {count(numberOf(found, "messages.in.count"))} in,{" "}
        {count(numberOf(found, "messages.out.count"))} out
      </Link>
    );
  }
  if (!all || !may) return null;
  return (
    <Button
      variant="default"
      size="compact-xs"
      loading={begin.isPending}
      onClick={() => begin.mutate()}
    >
      Count
    </Button>
  );
}
