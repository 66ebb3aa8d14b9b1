// The SQL page: run by keyboard, insert names, find tables, say that a query runs, show where it is wrong.
"use strict";

(() => {
  const form = document.getElementById("editor");
  const text = document.getElementById("sql-text");
  const running = document.getElementById("running");
  const runs = [...form.querySelectorAll("[data-runs]")];

  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(runs[0]);
    }
  });

  function isRunning(state) {
    running.hidden = !state;
    running.textContent = state ? "Running…" : "";
    runs.forEach((button) => { button.disabled = state; });
  }
  form.addEventListener("submit", (event) => {
    // Buttons are switched off once the form has taken their values along.
    if (runs.includes(event.submitter)) setTimeout(() => isRunning(true));
  });
  addEventListener("pageshow", () => isRunning(false));

  function insert(name) {
    const before = text.value.slice(0, text.selectionStart);
    const spaced = before && !/\s$/.test(before) ? ` ${name}` : name;
    text.setRangeText(spaced, text.selectionStart, text.selectionEnd, "end");
    text.focus();
  }
  document.querySelectorAll("[data-insert]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => insert(button.dataset.insert));
  });

  const filter = document.getElementById("table-filter");
  const says = document.getElementById("filter-says");
  if (filter) {
    filter.hidden = false;
    filter.addEventListener("input", () => {
      const wanted = filter.value.trim().toLowerCase();
      let left = 0;
      document.querySelectorAll(".schema > li").forEach((item) => {
        const names = [...item.querySelectorAll("summary, code")].map((part) => part.textContent.toLowerCase());
        item.hidden = !names.some((name) => name.includes(wanted));
        if (!item.hidden) left += 1;
      });
      says.textContent = wanted ? `${left} tables` : "";
    });
  }

  // Where the query is wrong, the caret stands.
  if (text.dataset.line) {
    const lines = text.value.split("\n");
    const before = lines.slice(0, Number(text.dataset.line) - 1).reduce((sum, line) => sum + line.length + 1, 0);
    const at = before + Number(text.dataset.column) - 1;
    text.focus();
    text.setSelectionRange(at, at);
  } else if (document.querySelector("#result > .panel, #result > .empty b")) {
    const result = document.getElementById("result");
    if (location.pathname === "/sql/run") result.focus({ preventScroll: false });
  }
})();
