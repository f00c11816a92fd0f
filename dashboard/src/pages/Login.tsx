import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { answered, api, unreachableSince } from "../api/client";
import { begin, ending } from "../api/session";
import { useStore } from "../lib/store";
import { Mark } from "../parts/Icon";
import { FormFailure } from "../parts/Page";
import styles from "./Login.module.css";

/** Where a log-in begins. The address stays, so that it leads to where one wanted to go. */
export default function Login() {
  const why = useStore(ending);
  useEffect(() => {
    document.title = "Log in · Plexus";
  }, []);
  return (
    <main className={styles.place}>
      <Mesh />
      <div className={styles.card}>
        <h1 className={styles.name}>
          <Mark size={34} /> Plexus
        </h1>
        <p className={styles.lead}>Log in to this node.</p>
        {why && (
          <Alert color="yellow" py={8} mb="sm" role="status">
            {why}
          </Alert>
        )}
        <Fields />
        <p className={styles.help}>
          A new node has the user admin. Its first password was printed once, on the terminal where
          the node was started.
        </p>
      </div>
    </main>
  );
}

function Fields() {
  const form = useForm({ initialValues: { username: "", password: "" } });
  const unreachable = useStore(unreachableSince);
  const login = useMutation({
    mutationFn: (body: typeof form.values) => answered(api.POST("/api/v5/login", { body })),
    onSuccess: ({ token, role, version }, { username }) =>
      begin({ username, token, role, version }),
    onError: () => form.setFieldValue("password", ""),
  });
  return (
    <form onSubmit={form.onSubmit((values) => login.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="User name"
          autoComplete="username"
          size="sm"
          required
          withAsterisk={false}
          autoFocus
          {...form.getInputProps("username")}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          size="sm"
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
          {...form.getInputProps("password")}
        />
        <FormFailure error={login.error} />
        <Button type="submit" size="sm" mt={4} loading={login.isPending}>
          {unreachable ? "Try again" : "Log in"}
        </Button>
      </Stack>
    </form>
  );
}

/** A field of nodes with their links, always the same one. */
function Mesh() {
  // Steps of the plastic number spread points evenly without a pattern that is seen.
  const nodes = Array.from({ length: 70 }, (_, index) => ({
    x: Math.round(((0.5 + index * 0.7548776662) % 1) * 1200),
    y: Math.round(((0.5 + index * 0.5698402909) % 1) * 800),
    r: 2 + ((index * 31) % 3),
  }));
  const links = nodes.flatMap((a, index) =>
    nodes
      .slice(index + 1)
      .filter((b) => Math.hypot(a.x - b.x, a.y - b.y) < 150)
      .map((b) => `M${a.x} ${a.y}L${b.x} ${b.y}`),
  );
  return (
    <svg
      className={styles.mesh}
      viewBox="0 0 1200 800"
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
    >
      <path d={links.join("")} stroke="currentColor" strokeWidth="1" fill="none" />
      {nodes.map((node) => (
        <circle
          key={`${node.x} ${node.y}`}
          cx={node.x}
          cy={node.y}
          r={node.r}
          fill="currentColor"
        />
      ))}
    </svg>
  );
}
