// The jobs beside the chat: passes on what their buttons do, asks before it cancels long work,
// shows one job in full, and keeps the focus where it was when the list is rendered anew.
// Run with the element of the job in full, what triggers its events, what watches it rendered:
// click shows a job in full, clear ends that, submit acts on one, input shows its conversation.
(element, trigger, watch) => {
  const list = document.querySelector("#jobs");
  const full = document.querySelector("#asks [data-ask=job]");
  const sure = document.querySelector("#asks [data-ask=cancel]");
  full.append(document.querySelector("#job"));

  // --- the focus: rows take each other's place when their order changes
  let held = null; // the job and the button that have it
  const hold = () => {
    const button = document.activeElement.closest("#jobs [data-do]");
    held = button && { key: button.closest("[data-key]").dataset.key, does: button.dataset.do };
  };
  const keep = () => {
    const { activeElement } = document;
    if (!held || !(activeElement === document.body || list.contains(activeElement))) return;
    if (activeElement.closest("[data-key]")?.dataset.key === held.key) return;
    const row = list.querySelector(`[data-key="${held.key}"]`);
    (row?.querySelector(`[data-do="${held.does}"]`) ?? row?.querySelector(".open")
      ?? document.querySelector("#new")).focus();
  };
  document.addEventListener("focusin", hold);
  document.addEventListener("pointerdown", (event) => {
    if (!list.contains(event.target)) held = null;
  });
  new MutationObserver(keep).observe(list, {
    childList: true, subtree: true, attributeFilter: ["data-key"],
  });

  // --- one job in full
  let wanted = "";
  const show = () => {
    const shown = element.querySelector("[data-key]")?.dataset.key;
    if (wanted && shown === wanted && !full.open) full.showModal();
    // A button that had the focus may be gone.
    if (full.open && !sure.open && !full.contains(document.activeElement)) {
      full.querySelector(".close").focus();
    }
  };
  watch("value", show);
  full.addEventListener("close", () => {
    const row = list.querySelector(`[data-key="${wanted}"] .open`);
    wanted = "";
    trigger("clear", {});
    row?.focus();
  });
  full.addEventListener("click", (event) => {
    if (event.target === full) full.close(); // beside it
  });

  // --- what the buttons do
  const act = (what, key) => trigger("submit", { do: what, key });
  const ask = (job) => {
    const { key, title } = job.dataset; // now: it may be rendered anew while the dialog is open
    sure.querySelector("q").textContent = title;
    sure.returnValue = "";
    sure.onclose = () => {
      if (sure.returnValue === "yes") act("cancel", key);
    };
    // Not at once: the Enter that opened it would press its button as well.
    setTimeout(() => sure.showModal(), 0);
  };
  const does = {
    open: (job) => {
      wanted = job.dataset.key;
      trigger("click", { key: wanted });
    },
    show: (_, button) => {
      full.close();
      trigger("input", { key: button.dataset.conversation });
      document.querySelector("#room").click(); // as beside the side: on a phone that closes it
    },
    cancel: (job) => ("long" in job.dataset ? ask(job) : act("cancel", job.dataset.key)),
  };
  const press = (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const job = button.closest("[data-key]");
    const { do: what } = button.dataset;
    (does[what] ?? (() => act(what, job.dataset.key)))(job, button);
  };
  list.addEventListener("click", press);
  element.addEventListener("click", press);
}
