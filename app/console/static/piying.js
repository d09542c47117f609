// Comfort for pages that read without it: copying, dialogs, fragments that renew themselves, a word before the session ends.
// Nothing is stored in the browser and nothing is sent anywhere but to the page's own addresses.
"use strict";

const EVERY = 2000, SAY_EVERY = 5000, WARN_BEFORE = 120000;
let saidAt = 0, waiting = 0;

function say(sentence) {
  const place = document.getElementById("live");
  if (!place || !sentence || place.textContent === sentence) return;
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => { place.textContent = sentence; saidAt = Date.now(); }, Math.max(0, saidAt + SAY_EVERY - Date.now()));
}

// ── copying ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function offerCopying(root) {
  for (const button of root.querySelectorAll("button[data-copy][hidden]")) button.hidden = !navigator.clipboard;
}

function copy(button) {
  navigator.clipboard.writeText(button.dataset.copy).then(() => say(button.dataset.copied));
}

// ── dialogs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function openDialog(id, from) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  dialog.addEventListener("close", () => from && from.focus(), { once: true });
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-copy], [data-opens], [data-close], [data-stay], [data-pause]");
  for (const menu of document.querySelectorAll("details.menu-account[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (!target) return;
  if (target.dataset.copy !== undefined) copy(target);
  if (target.dataset.opens !== undefined) openDialog(target.dataset.opens, target);
  if (target.dataset.close !== undefined) target.closest("dialog").close();
  if (target.dataset.stay !== undefined) stay(target.closest("dialog"));
  if (target.dataset.pause !== undefined) pause(target);
});

document.addEventListener("change", (event) => {
  if (event.target.dataset.submitOnChange !== undefined) event.target.form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest("details.menu[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});

// ── fragments that renew themselves ──────────────────────────────────────────────────────────────────────────────────────────

async function renew(place) {
  if (place.dataset.paused === undefined && !document.hidden) {
    try {
      const answer = await fetch(place.dataset.poll, { headers: { "X-Fragment": "1" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") return window.location.reload();
      if (answer.ok) show(place, await answer.text());
      place.removeAttribute("aria-busy");
      const end = place.querySelector("[data-done]");
      if (end) return end.dataset.reload !== undefined ? window.location.reload() : undefined;
    } catch { /* out of reach for a moment: the next turn asks again */ }
  }
  window.setTimeout(() => renew(place), EVERY);
}

function show(place, html) {
  if (place.dataset.last === html) return;
  place.dataset.last = html;
  const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
  place.innerHTML = html;
  if (focused) document.getElementById(focused)?.focus();
  offerCopying(place);
  say(place.querySelector("[data-say]")?.textContent.trim());
}

function pause(button) {
  const place = document.getElementById(button.dataset.pause);
  const paused = place.dataset.paused === undefined;
  if (paused) place.dataset.paused = ""; else delete place.dataset.paused;
  button.setAttribute("aria-pressed", String(paused));
}

// ── a sentence that follows a form ───────────────────────────────────────────────────────────────────────────────────────────

const later = new WeakMap();

async function follow(form) {
  try {
    const answer = await fetch(form.dataset.follows, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" });
    if (answer.ok) show(document.getElementById(form.dataset.shows), await answer.text());
  } catch { /* out of reach for a moment: the next change asks again */ }
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-follows]");
  if (!form) return;
  window.clearTimeout(later.get(form));
  later.set(form, window.setTimeout(() => follow(form), 400));
});

// ── the session's end ────────────────────────────────────────────────────────────────────────────────────────────────────────

function watchSession() {
  const left = Number(document.body.dataset.sessionLeft || 0) * 1000;
  if (left) window.setTimeout(() => openDialog("expiry", document.activeElement), Math.max(0, left - WARN_BEFORE));
}

function stay(dialog) {
  fetch("/preferences", { method: "GET", redirect: "manual" }).then((answer) => {
    if (!answer.ok) return window.location.reload();
    dialog.close();
    watchSession();
  });
}

offerCopying(document);
for (const place of document.querySelectorAll("[data-poll]")) window.setTimeout(() => renew(place), EVERY);
watchSession();
