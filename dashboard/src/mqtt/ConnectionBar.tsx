// Connects the page as an MQTT client, and says how that goes.

import {
  Autocomplete,
  Button,
  Collapse,
  PasswordInput,
  SegmentedControl,
  Switch,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { answered, api } from "../api/client";
import { maySee, session } from "../api/session";
import { useStore } from "../lib/store";
import { Icon } from "../parts/Icon";
import { Panel } from "../parts/Page";
import { Status } from "../parts/Words";
import { addressesOf } from "./address";
import { connect, disconnect, type State, state } from "./connection";
import styles from "./mqtt.module.css";

const drawn = `dashboard-${Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;

// The form is remembered while the page is open; the password is kept nowhere else.
let remembered = {
  url: "",
  clientId: drawn,
  username: "",
  password: "",
  isClean: true,
  protocol: "5",
};

/** The form of the connection, or what is connected. */
export function ConnectionBar() {
  const current = useStore(state);
  if (current.kind === "on") return <On current={current} />;
  return <Off current={current} />;
}

function On({ current }: { current: Extract<State, { kind: "on" }> }) {
  const { url, clientId, username } = current.options;
  return (
    <Panel isPadded={false}>
      <div className={styles.on}>
        <Status kind="good">Connected</Status>
        <span className="mono cut">{clientId}</span>
        {username && <span className="muted">as {username}</span>}
        <span className="muted mono cut">{url}</span>
        <Button variant="default" size="compact-xs" ml="auto" onClick={disconnect}>
          Disconnect
        </Button>
      </div>
    </Panel>
  );
}

function useAddresses(): string[] {
  const role = useStore(session)?.role;
  const listeners = useQuery({
    queryKey: ["listeners"],
    queryFn: () => answered(api.GET("/api/v5/listeners")),
    enabled: role !== undefined && maySee(role),
  });
  return addressesOf(listeners.data ?? [], window.location);
}

const addressFault = (url: string) =>
  /^wss?:\/\//.test(url) && URL.canParse(url) ? null : "ws://host:port/path or wss://…";

function Off({ current }: { current: State }) {
  const addresses = useAddresses();
  const [isOpen, more] = useDisclosure();
  const form = useForm({ initialValues: remembered, validate: { url: addressFault } });
  const [first] = addresses;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new address is a reason to fill it in
  useEffect(() => {
    if (first && form.values.url === "") form.setFieldValue("url", first);
  }, [first]);
  const submit = (values: typeof remembered) => {
    remembered = values;
    connect({ ...values, protocol: values.protocol === "4" ? 4 : 5 });
  };
  const isBusy = current.kind === "connecting" || current.kind === "lost";
  return (
    <Panel isPadded={false}>
      <form className={styles.bar} onSubmit={form.onSubmit(submit)} aria-label="Connection">
        <Autocomplete
          label="WebSocket address"
          data={addresses}
          w={270}
          size="xs"
          {...form.getInputProps("url")}
        />
        <TextInput
          label="User name"
          autoComplete="off"
          w={140}
          {...form.getInputProps("username")}
        />
        <PasswordInput
          label="Password"
          autoComplete="off"
          w={140}
          visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
          {...form.getInputProps("password")}
        />
        <Button type="submit" loading={isBusy}>
          Connect
        </Button>
        {isBusy && (
          <Button variant="default" onClick={disconnect}>
            Stop
          </Button>
        )}
        <Button
          variant="subtle"
          onClick={more.toggle}
          aria-expanded={isOpen}
          rightSection={<Icon name={isOpen ? "up" : "down"} size={12} />}
        >
          More
        </Button>
        <Trouble current={current} />
        <Collapse expanded={isOpen} w="100%">
          <div className={styles.bar} style={{ padding: 0 }}>
            <TextInput label="Client identifier" w={220} {...form.getInputProps("clientId")} />
            <SegmentedControl
              aria-label="Version of MQTT"
              data={[
                { value: "5", label: "MQTT 5.0" },
                { value: "4", label: "MQTT 3.1.1" },
              ]}
              {...form.getInputProps("protocol")}
            />
            <Switch
              label="Clean start"
              mb={6}
              {...form.getInputProps("isClean", { type: "checkbox" })}
            />
          </div>
        </Collapse>
      </form>
    </Panel>
  );
}

function Trouble({ current }: { current: State }) {
  if (current.kind === "refused") {
    return (
      <span role="alert">
        <Status kind="bad">{current.why}</Status>
      </span>
    );
  }
  return current.kind === "lost" ? <Status kind="warn">{current.why}</Status> : null;
}
