// The pages there are: where they stand, in which group, and who may see them.

import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { mayChange, mayPublish, maySee, type Role } from "../api/session";
import type { IconName } from "../parts/Icon";

/** A page that the navigation leads to. */
export interface PageEntry {
  path: string;
  title: string;
  icon: IconName;
  group: string;
  /** Other words that the palette finds it by. */
  words: string;
  may: (role: Role) => boolean;
  component: LazyExoticComponent<ComponentType>;
}

/** All of them, in the order of the navigation. */
export const PAGES: PageEntry[] = [
  {
    path: "/",
    title: "Overview",
    icon: "overview",
    group: "",
    words: "rates memory load dashboard home",
    may: maySee,
    component: lazy(() => import("../pages/Overview")),
  },
  {
    path: "/clients",
    title: "Clients",
    icon: "clients",
    group: "Traffic",
    words: "connections sessions kick disconnect",
    may: maySee,
    component: lazy(() => import("../pages/Clients")),
  },
  {
    path: "/subscriptions",
    title: "Subscriptions",
    icon: "subscriptions",
    group: "Traffic",
    words: "filters shared",
    may: maySee,
    component: lazy(() => import("../pages/Subscriptions")),
  },
  {
    path: "/topics",
    title: "Topics",
    icon: "topics",
    group: "Traffic",
    words: "tree live values payload plot",
    may: maySee,
    component: lazy(() => import("../pages/Topics")),
  },
  {
    path: "/retained",
    title: "Retained",
    icon: "retained",
    group: "Traffic",
    words: "messages kept",
    may: maySee,
    component: lazy(() => import("../pages/Retained")),
  },
  {
    path: "/live",
    title: "Live log",
    icon: "live",
    group: "Traffic",
    words: "stream events trace connect disconnect",
    may: maySee,
    component: lazy(() => import("../pages/Live")),
  },
  {
    path: "/publish",
    title: "Publish",
    icon: "publish",
    group: "Tools",
    words: "send message",
    may: mayPublish,
    component: lazy(() => import("../pages/Publish")),
  },
  {
    path: "/mqtt",
    title: "MQTT client",
    icon: "socket",
    group: "Tools",
    words: "websocket subscribe publish try",
    may: () => true,
    component: lazy(() => import("../pages/MqttClient")),
  },
  {
    path: "/explain",
    title: "Explain",
    icon: "explain",
    group: "Tools",
    words: "why rules access test publish client",
    may: maySee,
    component: lazy(() => import("../pages/Explain")),
  },
  {
    path: "/traces",
    title: "Traces",
    icon: "trace",
    group: "Tools",
    words: "record debug write down",
    may: maySee,
    component: lazy(() => import("../pages/Traces")),
  },
  {
    path: "/listeners",
    title: "Listeners",
    icon: "listeners",
    group: "Node",
    words: "ports addresses tcp tls websocket",
    may: maySee,
    component: lazy(() => import("../pages/Listeners")),
  },
  {
    path: "/alarms",
    title: "Alarms",
    icon: "alarms",
    group: "Node",
    words: "problems warnings",
    may: maySee,
    component: lazy(() => import("../pages/Alarms")),
  },
  {
    path: "/limits",
    title: "Limits and tenants",
    icon: "limits",
    group: "Node",
    words: "quota usage connections sessions rates customers",
    may: maySee,
    component: lazy(() => import("../pages/Limits")),
  },
  {
    path: "/settings",
    title: "Settings",
    icon: "settings",
    group: "Node",
    words: "configuration limits change roll back history diff",
    may: maySee,
    component: lazy(() => import("../pages/Settings")),
  },
  {
    path: "/mqtt-users",
    title: "MQTT users",
    icon: "people",
    group: "Access",
    words: "authentication passwords superuser accounts devices",
    may: maySee,
    component: lazy(() => import("../pages/MqttUsers")),
  },
  {
    path: "/mqtt-rules",
    title: "MQTT rules",
    icon: "rules",
    group: "Access",
    words: "authorization acl permissions allow deny topics",
    may: maySee,
    component: lazy(() => import("../pages/MqttRules")),
  },
  {
    path: "/bans",
    title: "Bans",
    icon: "bans",
    group: "Access",
    words: "blacklist block kick",
    may: maySee,
    component: lazy(() => import("../pages/Bans")),
  },
  {
    path: "/users",
    title: "Users",
    icon: "users",
    group: "Administration",
    words: "accounts roles passwords people",
    may: mayChange,
    component: lazy(() => import("../pages/Users")),
  },
  {
    path: "/keys",
    title: "API keys",
    icon: "keys",
    group: "Administration",
    words: "programs secrets tokens",
    may: mayChange,
    component: lazy(() => import("../pages/Keys")),
  },
  {
    path: "/audit",
    title: "Audit",
    icon: "audit",
    group: "Administration",
    words: "log changes who",
    may: mayChange,
    component: lazy(() => import("../pages/Audit")),
  },
];

/** Pages that something else leads to. */
export const ClientDetail = lazy(() => import("../pages/ClientDetail"));
export const Login = lazy(() => import("../pages/Login"));

/** The pages of a role. */
export function pagesOf(role: Role): PageEntry[] {
  return PAGES.filter((page) => page.may(role));
}
