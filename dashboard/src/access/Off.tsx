import { Link } from "react-router";
import { Empty } from "../parts/Page";
import { keyPath } from "../settings/paths";

/** That the node keeps no users and rules itself, and where that is changed. */
export function Off({ what }: { what: string }) {
  return (
    <Empty icon="keys" title={`The node keeps no ${what} itself`}>
      Who may connect and do what stands in its configuration file, or other services are asked.
      With <span className="mono">access.accounts</span> users and rules are kept by the node and
      changed here.
      <div>
        <Link to={keyPath("access.accounts")}>See it in the settings</Link>
      </div>
    </Empty>
  );
}
