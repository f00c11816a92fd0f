import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ApiFailure, answered, api, unreachableSince } from "../api/client";
import { begin, ending } from "../api/session";
import { codeFault } from "../lib/people";
import { useStore } from "../lib/store";
import { CodeInput } from "../parts/CodeInput";
import { Mark } from "../parts/Icon";
import { FormFailure } from "../parts/Page";
import styles from "./Login.module.css";

/** What the node says where a code is missing, or is wrong. */
const MFA = "BAD_MFA_TOKEN";

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

const EMPTY = { username: "", password: "", code: "" };
type Shown = typeof EMPTY;

function Fields() {
  // The node says that a code is needed when the password is right.
  const [isSecond, setSecond] = useState(false);
  const form = useForm({
    initialValues: EMPTY,
    validate: { code: (code) => (isSecond ? codeFault(code) : null) },
  });
  const unreachable = useStore(unreachableSince);
  const login = useMutation({
    mutationFn: ({ username, password, code }: Shown) =>
      answered(
        api.POST("/api/v5/login", {
          body: { username, password, ...(code ? { mfa_token: code } : {}) },
        }),
      ),
    onSuccess: ({ token, role, version }, { username, code }) =>
      begin({ username, token, role, version, hasMfa: code !== "" }),
    onError: (error) => {
      form.setFieldValue("code", "");
      if (asksForCode(error)) return setSecond(true);
      if (isSecond && !isRefusal(error)) return;
      setSecond(false);
      form.setFieldValue("password", "");
    },
  });
  const back = () => {
    setSecond(false);
    form.setValues(EMPTY);
    login.reset();
  };
  const isFirstAsked = asksForCode(login.error) && login.variables?.code === "";
  return (
    <form onSubmit={form.onSubmit((values) => login.mutate(values))}>
      <Stack gap="sm">
        {isSecond ? (
          <CodeInput size="sm" autoFocus {...form.getInputProps("code")} />
        ) : (
          <>
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
          </>
        )}
        {!isFirstAsked && <FormFailure error={login.error} />}
        <Button type="submit" size="sm" mt={4} loading={login.isPending}>
          {unreachable ? "Try again" : "Log in"}
        </Button>
        {isSecond && (
          <Button variant="subtle" size="sm" onClick={back}>
            Log in as somebody else
          </Button>
        )}
      </Stack>
    </form>
  );
}

const asksForCode = (error: unknown) => error instanceof ApiFailure && error.code === MFA;
/** Whether name and password were refused. What else went wrong says nothing about them. */
const isRefusal = (error: unknown) => error instanceof ApiFailure && error.status === 401;

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
