import { Suspense } from "react";
import { Link, Navigate, Route, Routes, useLocation } from "react-router";
import { session } from "./api/session";
import { useStore } from "./lib/store";
import { Empty, Page, Waiting } from "./parts/Page";
import { Frame } from "./shell/Frame";
import { ClientDetail, Login, PAGES, pagesOf } from "./shell/pages";
import { Refusal } from "./shell/Refusal";

/** The log-in, or what is behind it. */
export function App() {
  const current = useStore(session);
  const location = useLocation();
  if (!current) {
    return (
      <Suspense fallback={<Waiting />}>
        <Login />
      </Suspense>
    );
  }
  const pages = pagesOf(current.role);
  const [first] = pages;
  const isHome = location.pathname === "/" && first?.path !== "/";
  if (isHome && first) return <Navigate to={first.path} replace />;
  return (
    <Frame pages={pages} current={current}>
      <Refusal key={location.pathname}>
        <Suspense fallback={<Waiting />}>
          <Routes>
            {pages.map((page) => (
              <Route key={page.path} path={page.path} element={<page.component />} />
            ))}
            {pages.some((page) => page.path === "/clients") && (
              <Route path="/clients/detail" element={<ClientDetail />} />
            )}
            <Route path="*" element={<Nowhere />} />
          </Routes>
        </Suspense>
      </Refusal>
    </Frame>
  );
}

function Nowhere() {
  const { pathname } = useLocation();
  const isKept = PAGES.some((page) => page.path === pathname);
  return (
    <Page title={isKept ? "Not for this role" : "There is no such page"}>
      <Empty
        icon="search"
        title={isKept ? "Your role does not show this page" : "Nothing is at this address"}
      >
        <Link to="/">Back to the first page</Link>
      </Empty>
    </Page>
  );
}
