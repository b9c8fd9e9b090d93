// Offers the ERP company's own values while a person types a target. Without this script the code is typed in full.
"use strict";

(() => {
  const WAIT = 200; // milliseconds without a key before the server is asked

  const value = (name) => {
    const field = document.querySelector(`[name="${name}"]`);
    return field ? field.value : "";
  };

  const address = (input) => {
    const set = input.form.dataset.mappingSet || value("mapping_set");
    if (!set) return null;
    const query = new URLSearchParams({
      kind: input.form.dataset.kind || value("kind"),
      key: input.form.dataset.key || value("key"),
      part: input.dataset.targetPicker,
      q: input.value,
    });
    return `${input.form.dataset.targets.replace("/0/", `/${encodeURIComponent(set)}/`)}?${query}`;
  };

  const offer = (list, values) => {
    list.replaceChildren(
      ...values.map((found) => {
        const option = document.createElement("option");
        option.value = found.code;
        option.label = [found.code, found.name, found.evidence].filter(Boolean).join(" · ");
        return option;
      }),
    );
  };

  const attach = (input) => {
    const list = document.createElement("datalist");
    list.id = `${input.id}-offered`;
    input.after(list);
    input.setAttribute("list", list.id);
    let timer = 0;
    let asked = 0;
    const ask = async () => {
      const url = address(input);
      if (!url) return;
      const mine = ++asked;
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (answer.ok && mine === asked) offer(list, (await answer.json()).results);
    };
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT);
    });
    input.addEventListener("focus", ask);
  };

  document.addEventListener("DOMContentLoaded", () => {
    const about = document.getElementById("mapping-about");
    document.querySelectorAll("[data-target-picker]").forEach((input) => {
      if (about) Object.assign(input.form.dataset, about.dataset);
      attach(input);
    });
  });
})();
