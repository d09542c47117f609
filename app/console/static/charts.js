// Draws each figure again from its specification, so that a pointer shows a number with its interval. Without it the picture stays.
"use strict";
(() => {
  const options = {
    ast: true,
    renderer: "svg",
    actions: false,
    logLevel: 1,
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true, theme: "piying" },
  };
  const source = document.currentScript.dataset.vega;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  async function draw(figure) {
    const theme = figure.dataset.theme || (dark.matches ? "dark" : "light");
    const narrow = window.matchMedia("(max-width: 600px)").matches ? "&narrow=1" : "";
    const answer = await fetch(`${figure.dataset.figure}theme=${theme}${narrow}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const place = figure.querySelector("[data-drawn]");
    place.hidden = false;
    try {
      await window.piyingDraw(place, await answer.json(), options);
      figure.querySelector("picture").classList.add("visually-hidden");
    } catch {
      place.hidden = true;
    }
  }

  function all() {
    document.querySelectorAll("[data-figure]").forEach(draw);
  }

  function fetchLibrary() {
    const library = document.createElement("script");
    library.src = source;
    library.addEventListener("load", () => {
      dark.addEventListener("change", all);
      all();
    });
    document.head.append(library);
  }
  // the library is large: the page is read before it is asked for
  if (document.readyState === "complete") fetchLibrary();
  else window.addEventListener("load", fetchLibrary);
})();
