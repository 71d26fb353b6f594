// Beside the chat: passes on what its buttons do, asks before it renames or deletes, opens and
// closes, and looks again when the tab comes back or another tab has changed something.
// Run with the list's element, what triggers an event of it, and what watches it being rendered.
(element, trigger, watch) => {
  const room = document.querySelector("#room");
  const toggle = document.querySelector("#toggle");
  const side = document.querySelector("#side");
  const narrow = window.matchMedia("(max-width: 56rem)");
  const HIDDEN = "fitting-room-side-hidden";

  // --- open and closed
  const isOpen = () => !room.classList.contains("closed");
  const show = (open, remember) => {
    room.classList.toggle("closed", !open);
    room.classList.toggle("open", open);
    toggle.setAttribute("aria-expanded", String(open));
    document.querySelector("#main").inert = open && narrow.matches;
    if (remember && !narrow.matches) localStorage.setItem(HIDDEN, open ? "" : "yes");
  };
  const fit = () => show(!narrow.matches && !localStorage.getItem(HIDDEN), false);
  const leave = () => {
    if (!narrow.matches || !isOpen()) return;
    show(false, false);
    toggle.focus();
  };
  toggle.setAttribute("aria-controls", "side");
  toggle.addEventListener("click", () => {
    show(!isOpen(), true);
    if (isOpen() && narrow.matches) document.querySelector("#new").focus();
  });
  document.querySelector("#new").addEventListener("click", leave);
  room.addEventListener("click", (event) => {
    if (!side.contains(event.target) && !toggle.contains(event.target)) leave();
  });
  narrow.addEventListener("change", fit);
  fit();

  // --- what the buttons of the list do
  const menus = (but) => {
    for (const menu of element.querySelectorAll("details[open]")) {
      if (menu !== but) menu.open = false;
    }
  };
  const rowOf = (key) => element.querySelector(`[data-key="${key}"]`);
  const ask = (name, row, open) => {
    const dialog = document.querySelector(`#asks [data-ask=${name}]`);
    const { key } = row.dataset; // now: the list may be rendered anew while the dialog is open
    open(dialog);
    dialog.returnValue = "";
    dialog.onclose = () => {
      (rowOf(key)?.querySelector("summary") ?? document.querySelector("#new")).focus();
      if (dialog.returnValue !== "yes") return;
      const title = name === "rename" ? dialog.querySelector("input").value : "";
      trigger("submit", { do: name, key, title });
      if (name === "delete") document.querySelector("#new").focus();
    };
    // Not at once: the Enter that opened it would press its button as well.
    setTimeout(() => dialog.showModal(), 0);
  };
  const does = {
    open: (row) => {
      trigger("click", { key: row.dataset.key });
      leave();
    },
    more: () => trigger("input", {}),
    rename: (row) => ask("rename", row, (dialog) => {
      const title = dialog.querySelector("input");
      title.value = row.dataset.title;
      title.select();
    }),
    delete: (row) => ask("delete", row, (dialog) => {
      dialog.querySelector("q").textContent = row.dataset.title;
    }),
  };
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) does[button.dataset.do](button.closest("[data-key]"));
    if (event.target.closest(".menu")) menus(null);
  });
  let opened = ""; // the menu of which conversation; it stays open when the list is rendered anew
  element.addEventListener("toggle", (event) => {
    const { key } = event.target.closest("[data-key]").dataset;
    if (event.target.open) opened = key;
    else if (opened === key) opened = "";
  }, true);
  element.addEventListener("click", (event) => {
    const menu = event.target.closest("summary")?.parentElement;
    // The toggle comes later; the list may be rendered anew before.
    if (menu && !menu.open) opened = menu.closest("[data-key]").dataset.key;
  });
  watch("value", () => {
    const menu = opened && rowOf(opened)?.querySelector("details");
    if (menu) menu.open = true;
  });
  document.addEventListener("click", (event) => menus(event.target.closest("details")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    const menu = element.querySelector("details[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (side.contains(document.activeElement)) {
      leave();
    }
  });

  // --- a question is edited in the box, where its pictures can be changed too
  const isBusy = () => document.querySelector("#box .stop-button");
  document.addEventListener("click", (event) => {
    const panel = event.target.closest("#chat .message-buttons-right");
    const button = event.target.closest("button");
    // The last button is Gradio's own "Edit", which knows no pictures; its name is translated.
    if (!panel || !button || [...panel.querySelectorAll("button")].at(-1) !== button) return;
    event.stopPropagation();
    event.preventDefault();
    const above = [...document.querySelectorAll("#chat .user-row")].filter(
      (row) => row.compareDocumentPosition(panel) & Node.DOCUMENT_POSITION_FOLLOWING,
    );
    if (!isBusy()) trigger("edit", { index: above.length - 1 });
  }, true);

  // --- other tabs
  const look = () => {
    if (document.visibilityState === "visible" && !isBusy()) trigger("focus", {});
  };
  window.others ??= new BroadcastChannel("fitting-room");
  window.others.addEventListener("message", look);
  document.addEventListener("visibilitychange", look);
}
