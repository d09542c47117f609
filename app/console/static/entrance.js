"use strict";
// The start page takes its one-time code from behind the #, where browsers send nothing to servers, and clears it from the address.
const code = document.querySelector("[data-from-address]");
if (code && location.hash.length > 1) {
  code.value = decodeURIComponent(location.hash.slice(1));
  code.closest(".field").hidden = true;
  history.replaceState(null, "", location.pathname);
}
// Whoever must wait sees how long; a reader of text hears it once, in the sentence above.
const left = document.querySelector("[data-seconds]");
if (left) {
  const until = Date.now() + 1000 * Number(left.dataset.seconds);
  const tick = setInterval(() => {
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (seconds === 0) clearInterval(tick);
  }, 250);
}
