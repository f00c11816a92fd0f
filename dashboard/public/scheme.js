// Sets the colours before anything is painted. A file of its own, as the page may run no inline script.
(() => {
  let wanted = null;
  try {
    wanted = localStorage.getItem("mantine-color-scheme-value");
  } catch {
    // A browser that keeps nothing gets the default.
  }
  const isLight =
    wanted === "light" ||
    (wanted === "auto" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", isLight ? "light" : "dark");
})();
