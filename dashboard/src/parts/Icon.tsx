// The drawings of the dashboard: 20 by 20, one stroke.

const PATHS = {
  overview: "M3 11h4v6H3zM8.5 3h3.5v14H8.5zM13.5 7.5h3.5V17h-3.5z",
  clients: "M4 4h12v8H4zM7 16h6M10 12v4",
  subscriptions: "M3 5h9M3 10h9M3 15h6M15 8l2.5 2L15 12",
  topics: "M4 4v10h4M4 8h4M10.5 6h6v4h-6zM10.5 12h6v4h-6z",
  publish: "M17 3 9 11M17 3l-5 14-3-6-6-3z",
  socket: "M3 7h5l2 6 2-8 2 5h3",
  listeners: "M10 10v7M7 17h6M6.5 12.5a5 5 0 1 1 7 0M4 15a8.5 8.5 0 1 1 12 0",
  alarms: "M10 3a5 5 0 0 0-5 5v3.5L3.5 14h13L15 11.5V8a5 5 0 0 0-5-5ZM8.5 17h3",
  bans: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM5 5l10 10",
  explain:
    "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM8 8a2 2 0 1 1 2.6 1.9c-.5.2-.6.5-.6 1.2M10 13.5v.01",
  live: "M3 5h9M3 10h6M3 15h9M15.5 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  trace: "M4 4h8M4 8h12M4 12h6M12.5 15.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM14.5 15l2.5 2.5",
  audit: "M5 3h7l3 3v11H5zM12 3v3h3M7.5 9.5h5M7.5 12.5h5",
  users:
    "M7.5 9a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM2.5 16.5c.4-3 2.3-4.5 5-4.5s4.6 1.5 5 4.5M13 3.8a2.8 2.8 0 0 1 0 5M15 12.5c1.5.7 2.3 2 2.5 4",
  keys: "M7 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10.5 10H17v3M14 10v2.5",
  settings:
    "M3 6h7M14 6h3M3 14h3M10 14h7M12 8.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM8 16.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z",
  limits:
    "M3.5 15a7.5 7.5 0 1 1 13 0M10 11l3.5-4.5M10 12.2a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4Z",
  rules: "M10 2.5 4 5v4.5c0 3.8 2.4 6.6 6 8 3.6-1.4 6-4.2 6-8V5zM7.5 10l2 2 3.5-4",
  people: "M10 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM4 17c.5-3.4 2.7-5 6-5s5.5 1.6 6 5",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4",
  menu: "M3 5h14M3 10h14M3 15h14",
  close: "m5 5 10 10M15 5 5 15",
  sun: "M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4",
  moon: "M16.5 12.5A7 7 0 0 1 7.5 3.5a7 7 0 1 0 9 9Z",
  copy: "M7 7h9v10H7zM4 13V3h9",
  check: "m4 10.5 4 4 8-9",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  right: "m8 5 5 5-5 5",
  down: "m5 8 5 5 5-5",
  up: "m5 12 5-5 5 5",
  warning: "M10 3 2.5 16.5h15zM10 8.5v3.5M10 14.3v.01",
  retained: "M6 3h8v14l-4-3.5L6 17z",
  refresh: "M16 10a6 6 0 1 1-2-4.5M16 3v3.5h-3.5",
  plus: "M10 4v12M4 10h12",
  away: "M7.5 4H4v12h3.5M12 6.5 15.5 10 12 13.5M8 10h7.5",
  play: "M6 4l10 6-10 6z",
  pause: "M7 4v12M13 4v12",
  trash: "M3.5 5.5h13M8 5V3h4v2M5 5.5 6 17h8l1-11.5",
} as const;

export type IconName = keyof typeof PATHS;

/** A drawing; what it means is said beside it, or by the label of its button. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.4 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
      style={{ flex: "none" }}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The sign of Plexus: a node with its links. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      aria-hidden="true"
      focusable="false"
    >
      <g stroke="var(--accent)" strokeWidth="2" strokeLinecap="round">
        <path d="M16 16 8 9M16 16l8.5-5.4M16 16l-6.4 8.4M16 16l9 6.4" />
      </g>
      <g fill="var(--accent)">
        <circle cx="16" cy="16" r="4.4" />
        <circle cx="8" cy="9" r="2.6" />
        <circle cx="24.5" cy="10.6" r="2.6" />
        <circle cx="9.6" cy="24.4" r="2.6" />
        <circle cx="25" cy="22.4" r="2.6" />
      </g>
    </svg>
  );
}
