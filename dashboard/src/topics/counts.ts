// Topics whose messages the node counts, where somebody asks for it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api, type TopicMetrics } from "../api/client";
import { confirm } from "../parts/confirm";

const KEY = ["topic-metrics"];
const REFRESH = 3000;
const ALL = "/api/v5/mqtt/topic_metrics";

/** All topics that are counted. */
export function useCounted() {
  return useQuery({
    queryKey: KEY,
    queryFn: () => answered(api.GET(ALL)),
    refetchInterval: REFRESH,
  });
}

/** Has what is counted looked at anew. */
export function useRecount(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: KEY });
}

/** Counts a topic from now on; the tenant is empty of one that has none. */
export function countTopic(topic: string, tenant: string) {
  return answered(api.POST(ALL, { body: { topic, tenant: tenant || null } }));
}

/** Has the counts of a topic begin anew. */
export function resetCounts({ topic, tenant }: TopicMetrics) {
  return answered(api.PUT(ALL, { body: { action: "reset", topic, tenant: tenant ?? null } }));
}

/** Asks whether a topic is to be counted no more, and sees to it. */
export function useStopCounting(): (counted: TopicMetrics) => void {
  const again = useRecount();
  return ({ topic, tenant }) =>
    confirm({
      title: `Count ${topic} no more?`,
      body: "Its counts are gone. Its messages go on.",
      act: "Count no more",
      done: `${topic} is counted no more.`,
      run: async () => {
        const params = { path: { topic }, query: tenant ? { tenant } : {} };
        await answered(api.DELETE("/api/v5/mqtt/topic_metrics/{topic}", { params }));
        await again();
      },
    });
}

/** A number of a topic by the name it has in the API; NaN where the node does not tell it. */
export function numberOf({ metrics }: TopicMetrics, name: string): number {
  return metrics[name] ?? Number.NaN;
}
