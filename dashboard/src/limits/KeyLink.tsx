import { Link } from "react-router";
import { keyPath } from "../settings/paths";

/** The name of a key, which leads to where it is changed. */
export function KeyLink({ name }: { name: string }) {
  return (
    <Link className="mono" to={keyPath(name)}>
      {name}
    </Link>
  );
}
