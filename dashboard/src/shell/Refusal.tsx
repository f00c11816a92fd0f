import { Component, type ReactNode } from "react";
import { Failed } from "../parts/Page";

interface State {
  error: unknown;
}

/** Keeps a mistake of one page, or a part of it that cannot be loaded, away from the others. */
export class Refusal extends Component<{ children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return <Failed error={this.state.error} retry={() => window.location.reload()} />;
  }
}
