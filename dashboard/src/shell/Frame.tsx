// What stands around every page: navigation, search, who is logged in, and whether the node answers.

import {
  ActionIcon,
  Button,
  Drawer,
  Menu,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "react-router";
import { api, unreachableSince } from "../api/client";
import { usePulse } from "../api/live";
import { end, type Session } from "../api/session";
import { duration } from "../lib/format";
import { useNow } from "../lib/now";
import { useStore } from "../lib/store";
import { Icon, Mark } from "../parts/Icon";
import { MfaForm } from "./MfaForm";
import { Navigation } from "./Navigation";
import { Palette } from "./Palette";
import { PasswordForm } from "./PasswordForm";
import type { PageEntry } from "./pages";
import styles from "./shell.module.css";

interface FrameProps {
  pages: PageEntry[];
  current: Session;
  children: ReactNode;
}

/** The frame of all pages. */
export function Frame({ pages, current, children }: FrameProps) {
  const [isMenuOpen, menu] = useDisclosure();
  const [isPaletteOpen, palette] = useDisclosure();
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  usePulse();
  useHotkeys([["mod+K", palette.toggle]], []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page begins at its top, without the menu
  useEffect(() => {
    main.current?.scrollTo(0, 0);
    menu.close();
  }, [pathname]);
  return (
    <div className={styles.frame}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <aside className={styles.side}>
        <Brand />
        <Navigation pages={pages} current={current} />
      </aside>
      <Top current={current} openMenu={menu.open} openPalette={palette.open} />
      <div className={styles.body}>
        <Banner />
        <main id="main" ref={main} className={styles.main} tabIndex={-1}>
          {children}
        </main>
      </div>
      <Drawer opened={isMenuOpen} onClose={menu.close} size={260} padding={0} title={<Brand />}>
        <Navigation pages={pages} current={current} onFollow={menu.close} />
      </Drawer>
      <Palette pages={pages} isOpen={isPaletteOpen} close={palette.close} role={current.role} />
    </div>
  );
}

function Brand() {
  return (
    <Link to="/" className={styles.brand} aria-label="Plexus, to the first page">
      <Mark /> Plexus
    </Link>
  );
}

interface TopProps {
  current: Session;
  openMenu: () => void;
  openPalette: () => void;
}

function Top({ current, openMenu, openPalette }: TopProps) {
  return (
    <header className={styles.top}>
      <ActionIcon
        className={styles.burger}
        size="lg"
        aria-label="Open the navigation"
        onClick={openMenu}
      >
        <Icon name="menu" size={20} />
      </ActionIcon>
      <Brand />
      <button type="button" className={styles.search} onClick={openPalette}>
        <Icon name="search" />
        <span>Search pages and clients</span>
        <kbd>Ctrl K</kbd>
      </button>
      <div className={styles.end}>
        <SchemeButton />
        <UserMenu current={current} />
      </div>
    </header>
  );
}

function SchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("dark");
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <Tooltip label={`Switch to ${other}`}>
      <ActionIcon
        size="lg"
        aria-label={`Switch to ${other} colours`}
        onClick={() => setColorScheme(other)}
      >
        <Icon name={scheme === "dark" ? "sun" : "moon"} size={18} />
      </ActionIcon>
    </Tooltip>
  );
}

function UserMenu({ current }: { current: Session }) {
  const [isChanging, changing] = useDisclosure();
  const [isSecond, second] = useDisclosure();
  const logOut = () => {
    // The token ends by itself where the node cannot be told.
    api.POST("/api/v5/logout").catch(() => undefined);
    end();
  };
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <Button
            variant="subtle"
            color="gray"
            rightSection={<Icon name="down" size={12} />}
            maw={180}
          >
            {current.username}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{`Logged in as ${current.role}`}</Menu.Label>
          <Menu.Item leftSection={<Icon name="keys" />} onClick={changing.open}>
            Change password
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="rules" />} onClick={second.open}>
            Second factor
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="away" />} onClick={logOut}>
            Log out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <PasswordForm username={current.username} isOpen={isChanging} close={changing.close} />
      <MfaForm current={current} isOpen={isSecond} close={second.close} />
    </>
  );
}

function Banner() {
  const since = useStore(unreachableSince);
  const now = useNow();
  if (since === undefined) return null;
  return (
    <div className={styles.banner} role="alert">
      <Icon name="warning" />
      <span>
        <b>The node does not answer.</b> What you see is as it was {duration(now - since)} ago; it
        is tried again all the time.
      </span>
    </div>
  );
}
