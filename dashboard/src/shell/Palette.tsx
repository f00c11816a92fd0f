import { Modal, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { useNavigate } from "react-router";
import { answered, api } from "../api/client";
import { clientPath } from "../api/clients";
import { maySee, type Role } from "../api/session";
import { Icon, type IconName } from "../parts/Icon";
import type { PageEntry } from "./pages";
import styles from "./shell.module.css";

interface PaletteProps {
  pages: PageEntry[];
  role: Role;
  isOpen: boolean;
  close: () => void;
}

interface Option {
  path: string;
  title: string;
  icon: IconName;
  note: string;
}

/** Finds pages and clients by a few letters. */
export function Palette(props: PaletteProps) {
  return (
    <Modal.Root opened={props.isOpen} onClose={props.close} size={560} yOffset="12vh">
      <Modal.Overlay />
      <Modal.Content aria-label="Search">
        <Search {...props} />
      </Modal.Content>
    </Modal.Root>
  );
}

function useOptions(wanted: string, pages: PageEntry[], role: Role): Option[] {
  const [search] = useDebouncedValue(wanted.trim(), 150);
  const clients = useQuery({
    queryKey: ["palette", search],
    queryFn: () =>
      answered(api.GET("/api/v5/clients", { params: { query: { search, limit: 8 } } })),
    enabled: search !== "" && maySee(role),
    placeholderData: keepPreviousData,
  });
  const needle = wanted.trim().toLowerCase();
  const fitting = pages.filter((page) =>
    `${page.title} ${page.words}`.toLowerCase().includes(needle),
  );
  const found: Option[] = fitting.map((page) => ({ ...page, note: page.group || "Page" }));
  if (search === "" || needle === "") return found;
  for (const { clientid, tenant, connected } of clients.data?.data ?? []) {
    const note = connected ? "Client, connected" : "Client, away";
    found.push({
      path: clientPath({ clientid, tenant: tenant ?? undefined }),
      title: clientid,
      icon: "clients",
      note,
    });
  }
  return found;
}

function Search({ pages, role, close }: PaletteProps) {
  const [wanted, setWanted] = useState("");
  const [marked, setMarked] = useState(0);
  const options = useOptions(wanted, pages, role);
  const navigate = useNavigate();
  const at = Math.min(marked, options.length - 1);
  const go = (option: Option | undefined) => {
    if (!option) return;
    navigate(option.path);
    close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setMarked((at + step + options.length) % Math.max(options.length, 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(options[at]);
    }
  };
  return (
    <>
      <TextInput
        data-autofocus
        variant="unstyled"
        size="md"
        px={14}
        py={6}
        leftSection={<Icon name="search" />}
        placeholder="Page, client identifier, user name, address…"
        aria-label="Search pages and clients"
        role="combobox"
        aria-expanded={true}
        aria-controls="palette"
        aria-activedescendant={options[at] ? `palette-${at}` : undefined}
        value={wanted}
        onChange={(event) => {
          setWanted(event.currentTarget.value);
          setMarked(0);
        }}
        onKeyDown={onKeyDown}
      />
      <Options options={options} at={at} go={go} />
    </>
  );
}

interface OptionsProps {
  options: Option[];
  at: number;
  go: (option: Option) => void;
}

function Options({ options, at, go }: OptionsProps) {
  return (
    <div
      id="palette"
      role="listbox"
      aria-label="Found"
      className={styles.palette}
      style={{ borderTop: "1px solid var(--line)" }}
    >
      {options.map((option, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
        <div
          key={option.path}
          id={`palette-${index}`}
          role="option"
          aria-selected={index === at}
          className={styles.option}
          onClick={() => go(option)}
        >
          <Icon name={option.icon} />
          <span
            className={option.icon === "clients" && option.path !== "/clients" ? "mono cut" : ""}
          >
            {option.title}
          </span>
          <span className="muted">{option.note}</span>
        </div>
      ))}
      {options.length === 0 && (
        <div role="option" aria-selected={false} aria-disabled="true" className={styles.option}>
          Nothing is found
        </div>
      )}
    </div>
  );
}
