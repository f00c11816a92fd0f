// What every page is made of: its head, panels, and what stands there when there is nothing to show.

import { Alert, Button, Loader, Skeleton } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { messageOf } from "../api/client";
import { Icon, type IconName } from "./Icon";
import styles from "./parts.module.css";

interface PageProps {
  title: string;
  /** A few words beside the title, mostly how many there are. */
  lead?: ReactNode;
  /** What can be done, at the other end of the head. */
  acts?: ReactNode;
  /** Whether the page is as high as the window, and scrolls within. */
  isFilling?: boolean;
  children: ReactNode;
}

/** A page with its title, which the tab of the browser shows too. */
export function Page({ title, lead, acts, isFilling, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Plexus`;
  }, [title]);
  return (
    <div className={`${styles.page} ${isFilling ? styles.filling : ""}`}>
      <header className={styles.head}>
        <h1 className={styles.title}>{title}</h1>
        {lead !== undefined && <span className={styles.lead}>{lead}</span>}
        {acts && <div className={styles.acts}>{acts}</div>}
      </header>
      {children}
    </div>
  );
}

interface PanelProps {
  title?: ReactNode;
  /** What stands in the head behind the title. */
  aside?: ReactNode;
  isPadded?: boolean;
  className?: string | undefined;
  children: ReactNode;
}

/** A part of a page in a frame. */
export function Panel({ title, aside, isPadded = true, className = "", children }: PanelProps) {
  return (
    <section className={`${styles.panel} ${className}`}>
      {title && (
        <div className={styles.panelHead}>
          <h2 className={styles.panelTitle}>{title}</h2>
          {aside}
        </div>
      )}
      {isPadded ? <div className={styles.panelBody}>{children}</div> : children}
    </section>
  );
}

interface EmptyProps {
  icon: IconName;
  title: string;
  children?: ReactNode;
}

/** That there is nothing, and why, or what to do about it. */
export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div className={styles.state}>
      <Icon name={icon} size={28} />
      <div className={styles.stateTitle}>{title}</div>
      {children && <div className={styles.stateWords}>{children}</div>}
    </div>
  );
}

/** That it could not be had, with a way to try again. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div className={`${styles.state} ${styles.failed}`} role="alert">
      <Icon name="warning" size={28} />
      <div className={styles.stateTitle}>This could not be loaded</div>
      <div className={styles.stateWords}>{messageOf(error)}</div>
      {retry && (
        <Button variant="default" mt={6} onClick={retry} leftSection={<Icon name="refresh" />}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** That it is on its way. */
export function Waiting({ label = "Loading" }: { label?: string }) {
  return (
    <div className={styles.state} role="status">
      <Loader size="sm" aria-hidden="true" />
      <div>{label}…</div>
    </div>
  );
}

/** Rows that are on their way. */
export function WaitingRows({ rows = 8 }: { rows?: number }) {
  const widths = [72, 58, 80, 64, 70, 52];
  return (
    <div style={{ padding: 14 }} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike
        <Skeleton key={row} height={14} mb={16} width={`${widths[row % widths.length]}%`} />
      ))}
    </div>
  );
}

/** What went wrong with what a form asked for. */
export function FormFailure({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <Alert color="red" role="alert" icon={<Icon name="warning" />} py={8}>
      {messageOf(error)}
    </Alert>
  );
}

/** Something that should not be overlooked. */
export function Note({ children, isAlert }: { children: ReactNode; isAlert?: boolean }) {
  return (
    <div className={styles.note} role={isAlert ? "alert" : undefined}>
      <Icon name="warning" />
      <div>{children}</div>
    </div>
  );
}
