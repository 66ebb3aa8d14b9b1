// The door: codes are kept on this device until the pipeline has them, then each is answered in large letters.
"use strict";

(() => {
  const form = document.getElementById("scan-form");
  const input = document.getElementById("scan-text");
  const eventChoice = document.getElementById("scan-event");
  const panel = document.getElementById("scan-answer");
  const waiting = document.getElementById("scan-waiting");
  const list = document.getElementById("scan-list");
  const camera = document.getElementById("scan-camera");
  const video = document.getElementById("scan-video");
  const override = document.getElementById("scan-override");
  let refused = null;
  const KEPT = "door-scans";
  const AT_ONCE = 200, SHOWN = 12, RETRY_MS = 4000, SAME_CODE_MS = 3000, LOOK_MS = 200;
  const words = {};
  for (const item of document.getElementById("scan-words").content.querySelectorAll("[data-answer]")) {
    words[item.dataset.answer] = item.dataset;
  }
  const clock = new Intl.DateTimeFormat(document.documentElement.dataset.locale, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: form.dataset.zone,
  });
  let isSending = false;

  const kept = () => JSON.parse(localStorage.getItem(KEPT) || "[]");
  const keep = (scans) => localStorage.setItem(KEPT, JSON.stringify(scans));

  function say(tone, word, more) {
    panel.className = `scan-answer ${tone}`;
    panel.querySelector(".scan-word").textContent = word;
    panel.querySelector(".scan-more").textContent = more;
    if (navigator.vibrate) navigator.vibrate(tone === "good" ? 60 : [80, 60, 80]);
  }

  function sayWaiting(text) {
    const count = kept().length;
    waiting.hidden = !count;
    waiting.textContent = count ? `${count} ${count === 1 ? "scan waits" : "scans wait"} on this device. ${text}` : "";
  }

  function more(item) {
    const said = words[item.answer].more;
    const parts = [item.person_name];
    if (item.answer === "already_in" && item.since) parts.push(`Since ${clock.format(new Date(item.since))}.`);
    else if (said) parts.push(said);
    if (item.team_size > 1) parts.push(`A team of ${item.team_size}.`);
    return parts.filter(Boolean).join(" · ");
  }

  function show(scan, item) {
    const { tone, word } = words[item.answer];
    const line = document.createElement("li");
    line.className = tone;
    const name = document.createElement("b");
    name.textContent = [word, item.person_name].filter(Boolean).join(" · ");
    const time = document.createElement("time");
    time.dateTime = scan.scanned_at;
    time.textContent = clock.format(new Date(scan.scanned_at));
    line.append(name, time);
    list.prepend(line);
    while (list.children.length > SHOWN) list.lastElementChild.remove();
    document.getElementById("scan-none").hidden = true;
    say(tone, word, item.detail || more(item));
    refused = item.may_override ? scan : null;
    override.hidden = !refused;
  }

  async function upload(scans, eventId) {
    const body = JSON.stringify({ scans: scans.map(({ event_id, ...scan }) => scan), event_id: eventId || null });
    const headers = { "Content-Type": "application/json", "X-CSRF-Token": form.dataset.token };
    const answer = await fetch("/scans", { method: "POST", headers, body });
    if (answer.status === 401 || answer.status === 403) throw new Error("Sign in again to send them.");
    if (!answer.ok) throw new Error((await answer.json()).title);
    return (await answer.json()).items;
  }

  async function send() {
    if (isSending) return;
    isSending = true;
    try {
      for (let scans = kept(); scans.length; scans = kept()) {
        const eventId = scans[0].event_id;
        const batch = scans.filter((scan) => scan.event_id === eventId).slice(0, AT_ONCE);
        const items = await upload(batch, eventId);
        const sent = new Set(batch.map((scan) => scan.scan_id));
        keep(kept().filter((scan) => !sent.has(scan.scan_id)));
        batch.forEach((scan, place) => show(scan, items[place]));
        sayWaiting("");
      }
    } catch (error) {
      const isAway = error instanceof TypeError;
      say("none", "Kept", "It is not known yet whether this code is good.");
      sayWaiting(isAway ? "There is no connection; they are sent as soon as there is." : error.message);
    } finally {
      isSending = false;
    }
  }

  function scanned(text, more = {}) {
    if (!text) return;
    const scan = {
      qr_code_data: text, scanned_at: new Date().toISOString(), scan_id: crypto.randomUUID?.() || `${Date.now()}-${Math.random()}`,
      event_id: eventChoice.value, ...more,
    };
    override.hidden = true;
    keep([...kept(), scan]);
    send();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    scanned(input.value.trim());
    input.value = "";
    input.focus();
  });
  override.addEventListener("submit", (event) => {
    if (!refused) return; // the answer came with the page: so does the form's
    event.preventDefault();
    scanned(refused.qr_code_data, { override: true, event_id: refused.event_id });
    input.focus();
  });
  window.addEventListener("online", send);
  setInterval(() => { if (kept().length) send(); }, RETRY_MS);

  async function useCamera() {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    let last = "", lastAt = 0;
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.hidden = false;
    await video.play();
    const timer = setInterval(async () => {
      if (!video.srcObject) { clearInterval(timer); return; }
      const [code] = await detector.detect(video).catch(() => []);
      if (!code || (code.rawValue === last && Date.now() - lastAt < SAME_CODE_MS)) return;
      last = code.rawValue;
      lastAt = Date.now();
      scanned(code.rawValue);
    }, LOOK_MS);
  }

  function stopCamera() {
    video.srcObject?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    video.hidden = true;
  }

  camera.addEventListener("click", async () => {
    const isOn = Boolean(video.srcObject);
    if (isOn) stopCamera();
    else await useCamera().catch(() => say("none", "No camera", "The browser may not use it, or there is none."));
    camera.setAttribute("aria-pressed", String(Boolean(video.srcObject)));
    camera.textContent = video.srcObject ? "Stop the camera" : "Use the camera";
  });
  camera.hidden = !("BarcodeDetector" in window && navigator.mediaDevices);
  if (kept().length) send();
})();
