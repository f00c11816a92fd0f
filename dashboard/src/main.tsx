import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "./styles/base.css";
import { MantineProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { App } from "./App";
import { ApiFailure } from "./api/client";
import { session } from "./api/session";
import { theme } from "./theme";

// What is refused stays refused; a node that is not there or busy is asked again.
const isWorthAsking = (failures: number, error: Error) =>
  failures < 2 && error instanceof ApiFailure && (error.status === 0 || error.status >= 500);

const queries = new QueryClient({
  defaultOptions: { queries: { retry: isWorthAsking, staleTime: 1000, networkMode: "always" } },
});

// What one user saw is not for the next.
session.follow(() => {
  if (!session.get()) queries.clear();
});

const root = document.getElementById("root");
if (!root) throw new Error("invariant: the page has a place for the dashboard");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="dark">
      <QueryClientProvider client={queries}>
        <ModalsProvider>
          <Notifications position="bottom-right" limit={4} />
          <BrowserRouter>
            <App />
          </BrowserRouter>
        </ModalsProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
