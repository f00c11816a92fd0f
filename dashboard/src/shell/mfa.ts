// The second factor of a user, as the pages ask for it and end it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { noteMfa, session } from "../api/session";
import { confirm } from "../parts/confirm";

/** The users of the API, among what has been asked for. */
export const USERS = ["users"];

/** All users of the API, for administrators. */
export function useUsers(isEnabled = true) {
  return useQuery({
    queryKey: USERS,
    queryFn: () => answered(api.GET("/api/v5/users")),
    enabled: isEnabled,
  });
}

/** Asks whether the second factor of a user is to end, and ends it. */
export function useEndMfa(): (username: string) => void {
  const queries = useQueryClient();
  return (username) => {
    const isOwn = session.get()?.username === username;
    confirm({
      title: isOwn ? "End your second factor?" : `End the second factor of ${username}?`,
      body: `The password alone is enough for ${isOwn ? "your" : "their"} next log-in. The entry in the app shows nothing of use any more.`,
      act: "End second factor",
      done: isOwn ? "Your second factor is ended." : `The second factor of ${username} is ended.`,
      run: async () => {
        const params = { path: { username } };
        await answered(api.DELETE("/api/v5/users/{username}/mfa", { params }));
        if (isOwn) noteMfa(false);
        await queries.invalidateQueries({ queryKey: USERS });
      },
    });
  };
}
