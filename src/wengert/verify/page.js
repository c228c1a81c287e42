(() => {
  // Rows of one status, rows that hold a text, rows in the order of a column.
  // The address may ask for it: #status=wrong&find=float64&sort=digits&down
  const table = document.getElementById("table");
  if (!table) return;
  const rows = [...table.querySelectorAll("tr[data-status]")], homes = rows.map(row => row.parentNode);
  const groups = [...table.tBodies], heads = [...table.tHead.rows[0].cells];
  const flat = table.appendChild(document.createElement("tbody"));
  const find = document.getElementById("find"), regroup = document.getElementById("regroup");
  const choices = [...document.querySelectorAll("#choose button")];
  const state = {status: "", find: "", sort: "", down: false};
  const key = (row, column) => {
    const cell = row.cells[column], text = cell.dataset.v ?? cell.textContent;
    return heads[column].classList.contains("number") ? (text === "" ? NaN : Number(text)) : text;
  };
  const compare = (a, b) => {
    if (typeof a === "string") return a.localeCompare(b) * (state.down ? -1 : 1);
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);  // what has no number comes last, both ways
    return (a - b) * (state.down ? -1 : 1);
  };
  const draw = () => {
    const column = heads.findIndex(head => head.dataset.key === state.sort), wanted = state.find.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const other = state.status !== "" && row.dataset.status !== state.status;
      row.hidden = other || !row.textContent.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    if (column < 0) rows.forEach((row, k) => homes[k].append(row));
    else flat.append(...rows.map((row, k) => [key(row, column), k, row]).sort((a, b) => compare(a[0], b[0]) || a[1] - b[1])
      .map(item => item[2]));
    for (const group of groups) group.hidden = ![...group.rows].some(row => row.dataset.status && !row.hidden);
    table.classList.toggle("grouped", column < 0);
    regroup.hidden = column < 0;
    for (const head of heads) head.removeAttribute("aria-sort");
    if (column >= 0) heads[column].setAttribute("aria-sort", state.down ? "descending" : "ascending");
    for (const choice of choices) choice.setAttribute("aria-pressed", choice.value === state.status);
    document.getElementById("shown").textContent = `${shown} of ${rows.length} rows`;
  };
  const asked = () => {
    const wanted = new URLSearchParams(location.hash.slice(1));
    for (const name of ["status", "find", "sort"]) if (wanted.has(name)) state[name] = wanted.get(name);
    state.down = wanted.has("down");
    find.value = state.find;
    draw();
  };
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.onclick = () => {
      state.down = state.sort === head.dataset.key && !state.down;
      state.sort = head.dataset.key;
      draw();
    };
    head.replaceChildren(button);
  }
  for (const choice of choices) choice.onclick = () => { state.status = choice.value; draw(); };
  find.oninput = () => { state.find = find.value; draw(); };
  regroup.onclick = () => { state.sort = ""; draw(); };
  const form = document.getElementById("filter");
  form.onsubmit = event => event.preventDefault();
  form.hidden = false;
  addEventListener("hashchange", () => { if (location.hash.includes("=")) asked(); });
  asked();
})();
