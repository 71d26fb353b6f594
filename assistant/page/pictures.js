// The gallery of my pictures: opens it, asks the server for a page of pictures past Gradio, searches,
// shows one with its recipe, and asks before it deletes one.
// Run with the element of its button and what triggers an event of it: submit uses a picture again,
// focus shows the conversation anew when a picture of it was deleted.
(element, trigger) => {
  const dialog = (name) => document.querySelector(`#asks [data-ask=${name}]`);
  const all = dialog("pictures");
  const one = dialog("picture");
  const sure = dialog("forget");
  const list = all.querySelector("ul");
  const words = all.querySelector("input");
  const zip = all.querySelector("a[download]");
  const status = all.querySelector("[role=status]");
  const rows = () => [...list.querySelectorAll("[data-name]")];

  // --- a page of them
  let asked = new AbortController();
  const say = () => {
    const count = rows().length;
    const older = list.querySelector(".more") ? ", and there are older ones" : "";
    status.textContent = count ? `${count} ${count === 1 ? "picture" : "pictures"}${older}.` : "";
    zip.hidden = !count;
    zip.href = `pictures.zip?${new URLSearchParams({ search: words.value })}`;
  };
  const load = async (after) => {
    asked.abort(); // an answer to an older search comes too late
    asked = new AbortController();
    const { signal } = asked;
    const query = new URLSearchParams({ search: words.value, after });
    try {
      const reply = await fetch(`pictures?${query}`, { signal });
      const told = await reply.text();
      if (signal.aborted) return;
      if (!reply.ok) throw new Error(JSON.parse(told).detail);
      const first = rows().length;
      list.querySelector(".more")?.remove();
      if (!after) list.replaceChildren();
      list.insertAdjacentHTML("beforeend", told);
      say();
      if (after) (rows()[first] ?? all).querySelector("button").focus();
    } catch (failure) {
      if (!signal.aborted) status.textContent = `The pictures cannot be shown: ${failure.message}`;
    }
  };
  let typed = 0;
  words.addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(() => load(""), 250);
  });

  // --- one of them
  let shown = null; // its row
  const show = (row) => {
    shown = row;
    one.querySelector("div").replaceChildren(row.querySelector("template").content.cloneNode(true));
    one.showModal();
    one.scrollTop = 0;
  };
  one.addEventListener("close", () => shown?.querySelector("button").focus());
  const remove = async (row) => {
    const { name } = row.dataset;
    const path = name.split("/").map(encodeURIComponent).join("/");
    try {
      const reply = await fetch(`pictures/${path}`, { method: "DELETE" });
      if (!reply.ok && reply.status !== 404) throw new Error((await reply.json()).detail);
    } catch (failure) {
      one.querySelector("[role=alert]").textContent = failure.message;
      return;
    }
    const next = row.nextElementSibling ?? row.previousElementSibling;
    shown = null;
    one.close();
    row.remove();
    (next?.querySelector("button") ?? all.querySelector(".close")).focus();
    if (rows().length) say();
    else load("");
    trigger("focus", {});
    window.others?.postMessage("");
  };
  const ask = (row) => {
    sure.querySelector("q").textContent = row.dataset.title;
    sure.returnValue = "";
    sure.onclose = () => {
      if (sure.returnValue === "yes") remove(row);
    };
    // Not at once: the Enter that opened it would press its button as well.
    setTimeout(() => sure.showModal(), 0);
  };

  // --- what the buttons do
  const does = {
    pictures: () => {
      list.replaceChildren();
      words.value = "";
      load("");
      all.showModal();
    },
    more: (button) => load(button.dataset.after),
    show: (button) => show(button.closest("[data-name]")),
    use: () => {
      trigger("submit", { name: shown.dataset.name });
      shown = null;
      one.close();
      all.close();
      document.querySelector("#room").click(); // as beside the side: on a phone that closes it
    },
    delete: () => ask(shown),
  };
  for (const part of [element, all, one]) {
    part.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) does[button.dataset.do](button);
      else if (event.target === part && part.open) part.close(); // beside it
    });
  }
  all.addEventListener("close", () => element.querySelector("button").focus());
}
