import { useQuery } from "@tanstack/react-query";
import { NavLink } from "react-router";
import { answered, api } from "../api/client";
import { usePulse } from "../api/live";
import { maySee, type Session } from "../api/session";
import { duration, plural } from "../lib/format";
import { Icon } from "../parts/Icon";
import type { PageEntry } from "./pages";
import styles from "./shell.module.css";

/** How often alarms are looked at. */
const ALARMS = 10_000;

/** The alarms that stand now. */
export function useAlarms(isEnabled = true) {
  return useQuery({
    queryKey: ["alarms"],
    queryFn: () => answered(api.GET("/api/v5/alarms", { params: { query: { limit: 1000 } } })),
    refetchInterval: ALARMS,
    enabled: isEnabled,
  });
}

interface NavigationProps {
  pages: PageEntry[];
  current: Session;
  /** Called when a page is chosen, be it the one that is there already. */
  onFollow?: () => void;
}

/** The groups of pages, one below the other. */
export function Navigation({ pages, current, onFollow }: NavigationProps) {
  const alarms = useAlarms(maySee(current.role));
  const groups = [...new Set(pages.map((page) => page.group))];
  const standing = alarms.data?.data.length ?? 0;
  return (
    <>
      <nav className={styles.nav} aria-label="Pages">
        {groups.map((group) => (
          <div key={group}>
            {group && <div className={styles.group}>{group}</div>}
            <ul>
              {pages
                .filter((page) => page.group === group)
                .map((page) => (
                  <Entry
                    key={page.path}
                    page={page}
                    onFollow={onFollow}
                    alarms={page.path === "/alarms" ? standing : 0}
                  />
                ))}
            </ul>
          </div>
        ))}
      </nav>
      <About version={current.version} />
    </>
  );
}

interface EntryProps {
  page: PageEntry;
  alarms: number;
  onFollow: (() => void) | undefined;
}

function Entry({ page, alarms, onFollow }: EntryProps) {
  return (
    <li>
      <NavLink
        onClick={onFollow}
        to={page.path}
        end={page.path === "/"}
        className={styles.link ?? ""}
      >
        <Icon name={page.icon} />
        {page.title}
        {alarms > 0 && (
          <span className={styles.mark} title={plural(alarms, "alarm")}>
            {alarms}
          </span>
        )}
      </NavLink>
    </li>
  );
}

function About({ version }: { version: string }) {
  const node = usePulse().data?.node;
  return (
    <div className={styles.about}>
      <div className="cut" title={node?.node}>
        {node?.node ?? "Plexus"}
      </div>
      <div className="number">
        {version}
        {node && `, up ${duration(node.uptime)}`}
      </div>
    </div>
  );
}
