// What every page does: takes in updates, says when they stop, follows a run that was started.
"use strict";

(() => {
  const main = document.querySelector("main[data-live]");
  const connection = document.getElementById("connection");

  function say(text, link, linkText) {
    if (!connection) return;
    connection.hidden = !text;
    connection.textContent = text;
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = link;
      anchor.textContent = linkText;
      connection.append(" ", anchor);
    }
  }

  // Whoever is reading a part keeps the place: what was open stays open, what had the focus has it.
  function replace(place, html) {
    const open = [...place.querySelectorAll("details")].map((part) => part.open);
    const focused = place.contains(document.activeElement) ? document.activeElement : null;
    const at = focused ? [...place.querySelectorAll("a, button, summary, input, [tabindex]")].indexOf(focused) : -1;
    place.innerHTML = html;
    place.querySelectorAll("details").forEach((part, index) => { part.open = Boolean(open[index]); });
    if (at >= 0) place.querySelectorAll("a, button, summary, input, [tabindex]")[at]?.focus({ preventScroll: true });
  }

  function take(event) {
    say("");
    for (const [id, html] of Object.entries(JSON.parse(event.data))) {
      const place = document.getElementById(id);
      if (!place) continue;
      replace(place, html);
      const chart = place.closest("figure[data-chart]");
      if (chart) chart.dispatchEvent(new Event("new-data"));
    }
    main.dispatchEvent(new CustomEvent("updated"));
    if (main.hasAttribute("data-reload-when-ready") && document.querySelector("#live-standing .chip-time")) {
      location.reload();
    }
  }

  function follow() {
    const address = new URL("/updates", location.href);
    address.searchParams.set("topic", main.dataset.live);
    if (main.dataset.about) address.searchParams.set("about", main.dataset.about);
    const source = new EventSource(address);
    const back = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    source.addEventListener("open", () => say(""));
    source.addEventListener("update", take);
    const ended = () => say("Your session has ended.", back, "Sign in again");
    source.addEventListener("signed-out", () => {
      source.close();
      ended();
    });
    source.addEventListener("error", async () => {
      if (source.readyState !== EventSource.CLOSED) {
        say("No connection: what you see may be out of date. Trying again…");
        return;
      }
      // An event source does not say why it was refused.
      const answer = await fetch(location.href).catch(() => null);
      if (answer?.status === 401) ended();
      else say("This page is no longer brought up to date by itself.", location.href, "Load it again");
    });
    addEventListener("pagehide", () => source.close());
  }

  async function followRun(notice) {
    const text = notice.querySelector("p");
    for (;;) {
      const answer = await fetch(`/api/pipeline/runs/${encodeURIComponent(notice.dataset.followRun)}`);
      if (!answer.ok) return;
      const run = await answer.json();
      const steps = run.steps_total ? `, ${run.steps_done} of ${run.steps_total} steps` : "";
      if (run.is_finished) {
        notice.classList.toggle("bad", !run.succeeded);
        text.textContent = run.succeeded
          ? `The run has ended well after ${Math.round(run.duration_seconds)} s.`
          : `The run has failed: ${run.failure || run.status.toLowerCase()}`;
        return;
      }
      text.textContent = `The run is ${run.status.toLowerCase().replace("_", " ")}${steps}.`;
      await new Promise((resume) => setTimeout(resume, 2000));
    }
  }

  // A list that somebody else fills is looked at again until nothing in it is under way.
  async function poll(place) {
    while (place.querySelector("[data-under-way]")) {
      await new Promise((resume) => setTimeout(resume, 1000));
      const answer = await fetch(place.dataset.poll).catch(() => null);
      if (answer?.status === 401) return location.reload();
      if (answer?.ok) replace(place, await answer.text());
    }
  }

  document.querySelectorAll("[data-poll]").forEach(poll);
  if (main && document.getElementById("live-standing")) follow();
  document.querySelectorAll("[data-follow-run]").forEach(followRun);
  document.querySelectorAll("form[data-confirm]").forEach((form) => {
    form.addEventListener("submit", (event) => {
      if (!confirm(form.dataset.confirm)) event.preventDefault();
    });
  });
  // Where the menu is wider than the window, it shows the page that is open.
  const here = document.querySelector(".side a[aria-current]");
  if (here) here.closest("ul").scrollLeft = here.offsetLeft + here.offsetWidth - innerWidth;
  // A menu that is open closes with Escape, or when the focus or a click goes elsewhere.
  document.querySelectorAll("details.menu").forEach((menu) => {
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
    });
  });
})();
