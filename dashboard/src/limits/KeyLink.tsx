import type { ReactNode } from "react";
import { Link } from "react-router";
import { keyPath } from "../settings/paths";

/** The name of a key, or other words for it, which lead to where it is changed. */
export function KeyLink({ name, children }: { name: string; children?: ReactNode }) {
  return (
    <Link className={children ? undefined : "mono"} to={keyPath(name)} title={name}>
      {children ?? name}
    </Link>
  );
}
