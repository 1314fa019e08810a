// Theme, sorting, and words that light up while they are spoken. The page is complete without it.
(function () {
  "use strict";
  if (window.workbenchReport) return;
  window.workbenchReport = true;
  const root = document.documentElement;
  const KEY = "workbench-report-theme";
  root.classList.add("wb-js");

  // Storage may be refused (private windows, opened from a mail); the choice then lasts as long as the page.
  const remember = (theme) => { try { localStorage.setItem(KEY, theme); } catch (refused) { return; } };
  const remembered = () => { try { return localStorage.getItem(KEY); } catch (refused) { return null; } };
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  function bindTheme(button) {
    const label = () => {
      button.textContent = isDark() ? "Light" : "Dark";
      button.setAttribute("aria-label", isDark() ? "switch to light colours" : "switch to dark colours");
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      label();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
    label();
  }

  // Words: one tab stop per transcript, arrow keys go from word to word, Enter plays from the word.
  function bindWord(word, index) {
    word.setAttribute("role", "button");
    word.tabIndex = index === 0 || word.classList.contains("wb-at") ? 0 : -1;
    if (word.dataset.label) word.setAttribute("aria-label", word.dataset.label);
  }
  function bindClip(clip) {
    if (clip.dataset.bound) return;
    clip.dataset.bound = "yes";
    if (!clip.querySelector("audio")) return;
    clip.querySelectorAll(".wb-words").forEach((words) => {
      words.setAttribute("role", "group");
      words.setAttribute("aria-label", "text as written; arrow keys move between words, Enter plays from a word");
      words.querySelectorAll(".wb-w[data-s]").forEach(bindWord);
    });
    clip.querySelectorAll(".wb-at[data-s]").forEach(bindWord);
    if (nearby) nearby.observe(clip);
  }
  // Length is read when a clip comes near the screen, for at most so many: browsers give one page some 75 media players.
  let players = 50;
  const nearby = window.IntersectionObserver && new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting || players <= 0) continue;
      players -= 1;
      nearby.unobserve(entry.target);
      entry.target.querySelector("audio").preload = "metadata";
    }
  }, { rootMargin: "200px" });
  function playFrom(word) {
    const audio = word.closest(".wb-clip").querySelector("audio");
    if (!audio) return;
    audio.currentTime = Number(word.dataset.s);
    const started = audio.play();
    if (started) started.catch(() => {});  // a refused start leaves the native controls, already in place
  }
  document.addEventListener("click", (event) => {
    const word = event.target.closest(".wb-clip [data-s]");
    if (word && String(getSelection()) === "") playFrom(word);
  });
  document.addEventListener("keydown", (event) => {
    const word = event.target.closest && event.target.closest(".wb-clip [data-s]");
    if (!word || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const audio = word.closest(".wb-clip").querySelector("audio");
      if (event.key === " " && audio && !audio.paused) audio.pause(); else playFrom(word);
      return;
    }
    const list = word.closest(".wb-words");
    if (!list) return;
    const words = [...list.querySelectorAll(".wb-w[data-s]")];
    const at = words.indexOf(word);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: words.length - 1 }[event.key];
    if (to === undefined || !words[to]) return;
    event.preventDefault();
    word.tabIndex = -1;
    words[to].tabIndex = 0;
    words[to].focus();
  });

  // Lighting: once per frame while it plays, once after a seek.
  const timed = new WeakMap();
  function timesOf(clip) {
    if (!timed.has(clip)) timed.set(clip, [...clip.querySelectorAll(".wb-words .wb-w[data-s]")].map((el) => ({ el, s: +el.dataset.s, e: +el.dataset.e })));
    return timed.get(clip);
  }
  function light(audio) {
    const clip = audio.closest(".wb-clip");
    if (!clip) return;
    const now = audio.currentTime;
    for (const word of timesOf(clip)) word.el.classList.toggle("wb-on", now >= word.s && now < word.e && !audio.ended);
    const head = clip.querySelector(".wb-tape b");
    const length = audio.duration || Number(clip.dataset.len);
    if (head && length) head.style.left = Math.min(100, (100 * now) / length) + "%";
    clip.classList.add("wb-live");
  }
  function follow(audio) {
    light(audio);
    if (!audio.paused && !audio.ended) requestAnimationFrame(() => follow(audio));
  }
  document.addEventListener("play", (event) => {
    document.querySelectorAll(".wb-clip audio").forEach((other) => { if (other !== event.target && !other.paused) other.pause(); });
    follow(event.target);
  }, true);
  for (const name of ["seeked", "ended", "pause"]) document.addEventListener(name, (event) => event.target.tagName === "AUDIO" && light(event.target), true);

  // Tables: click a heading to sort; a second click turns the order. Rows without a value stay last.
  function bindTable(table) {
    if (table.dataset.bound) return;
    table.dataset.bound = "yes";
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const label = head.querySelector(".wb-th");
      const button = document.createElement("button");
      button.type = "button";
      button.append(...label.childNodes);
      label.append(button);
      button.addEventListener("click", () => {
        const first = head.classList.contains("wb-num") ? "descending" : "ascending";
        const order = head.getAttribute("aria-sort") === first ? (first === "ascending" ? "descending" : "ascending") : first;
        [...head.parentNode.cells].forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const number = head.classList.contains("wb-num");
        const key = (row) => row.cells[column].dataset.v || "";
        const rows = [...body.rows].sort((a, b) => {
          const x = key(a), y = key(b);
          if (x === "" || y === "") return (x === "") - (y === "");
          return sign * (number ? x - y : x.localeCompare(y, undefined, { numeric: true }));
        });
        body.append(...rows);
      });
    });
  }
  // A box that scrolls must be reachable by keyboard, one that does not should not be a stop.
  function bindScroll() {
    document.querySelectorAll(".wb-scroll").forEach((box) => {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0; else box.removeAttribute("tabindex");
    });
  }
  function bindContents(toc) {
    const links = new Map([...toc.querySelectorAll("a")].map((a) => [document.getElementById(decodeURIComponent(a.hash.slice(1))), a]));
    links.delete(null);
    const mark = () => {
      let current = null;
      for (const heading of links.keys()) if (heading.getBoundingClientRect().top < innerHeight * 0.3) current = heading;
      for (const [heading, link] of links) if (heading === current) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
    };
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; mark(); });
    }, { passive: true });
    mark();
  }
  // Paper shows everything: open what is folded, then fold it again.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((fold) => { fold.open = false; }));

  function bindAll() {
    document.querySelectorAll(".wb-clip").forEach(bindClip);
    document.querySelectorAll("table.wb-sortable").forEach(bindTable);
    bindScroll();
  }
  function start() {
    bindAll();
    const page = document.querySelector(".wb-page");
    if (!page) {  // a live notebook: outputs come and go
      let waiting = 0;
      new MutationObserver(() => { clearTimeout(waiting); waiting = setTimeout(bindAll, 200); }).observe(document.body, { childList: true, subtree: true });
      return;
    }
    document.querySelectorAll(".wb-toggle").forEach(bindTheme);
    document.querySelectorAll(".wb-toc").forEach(bindContents);
    addEventListener("resize", bindScroll);
    document.addEventListener("toggle", bindScroll, true);
  }
  const chosen = remembered();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
