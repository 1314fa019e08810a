// Keys of a listening test, and one sound at a time. The test is complete without it.
(function () {
  "use strict";
  if (window.workbenchListening) return;
  window.workbenchListening = true;
  const TEST = ".wb-listen";
  const sounds = (test) => [...test.querySelectorAll(".wb-sound audio")];
  const typing = (target) => target.matches("input:not([type=radio]), textarea");

  function play(test, audio, fromStart) {
    sounds(test).forEach((other) => { if (other !== audio) other.pause(); });
    if (fromStart) audio.currentTime = 0;
    const started = audio.play();
    if (started) started.catch(() => {});  // a refused start leaves the native controls, already in place
  }
  // Space goes on with what plays or stopped, else takes the first sound that was not heard.
  function toggle(test) {
    const all = sounds(test);
    const playing = all.find((audio) => !audio.paused);
    if (playing) { playing.pause(); return; }
    const begun = all.find((audio) => audio.currentTime > 0 && !audio.ended);
    const next = begun || all.find((audio) => !audio.dataset.heard) || all[0];
    if (next) play(test, next, next.ended);
  }
  function press(test, selector, index) {
    const button = test.querySelectorAll(selector)[index];
    if (button && !button.disabled) button.click();
    return Boolean(button);
  }
  function act(test, event) {
    const target = event.target;
    if (typing(target)) return event.key === "Enter" && press(test, ".wb-next", 0);
    if (/^[1-9]$/.test(event.key)) return press(test, ".wb-answer", Number(event.key) - 1);
    const named = test.querySelector(`.wb-sound[data-name="${CSS.escape(event.key.toLowerCase())}"] audio`);
    if (named) { play(test, named, true); return true; }
    if (target.closest("audio") || target.matches("button:not(.wb-answer)")) return false;
    if (event.key === " ") { toggle(test); return true; }
    return event.key === "Enter" && press(test, ".wb-next", 0);
  }
  // On the window, ahead of the notebook: there "a" would add a cell.
  window.addEventListener("keydown", (event) => {
    const test = event.target.closest && event.target.closest(TEST);
    if (!test || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    if (act(test, event)) event.preventDefault();
  }, true);
  document.addEventListener("play", (event) => {
    const test = event.target.closest && event.target.closest(TEST);
    if (!test) return;
    event.target.dataset.heard = "yes";
    sounds(test).forEach((other) => { if (other !== event.target) other.pause(); });
  }, true);

  // A new trial takes the keyboard; a chosen answer says so to a screen reader.
  let shown = null;
  new MutationObserver(() => {
    for (const test of document.querySelectorAll(TEST)) {
      test.tabIndex = -1;
      test.querySelectorAll(".wb-answer").forEach((button) => {
        const pressed = String(button.classList.contains("wb-chosen"));
        if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
      });
      const first = sounds(test)[0];
      if (first && first !== shown && test.contains(first)) { shown = first; test.focus({ preventScroll: true }); }
    }
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
})();
