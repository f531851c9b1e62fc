// Draws a table from JSON and sorts it by the column whose head is pressed; the order outlives new rows.

function make(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** Which of two rows comes first; what is not known comes last either way. */
function compare(one, other, column, descending) {
  const [a, b] = [one[column][1], other[column][1]];
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "string" ? a.localeCompare(b) : a - b;
  return descending ? -order : order;
}

function draw(frame) {
  const { data, sorted } = frame;
  const end = data.rows.length - data.fixedLast;
  const order = data.rows.map((_row, place) => place).slice(0, end);
  if (sorted) order.sort((a, b) => compare(data.rows[a], data.rows[b], sorted.column, sorted.descending));
  for (let place = end; place < data.rows.length; place += 1) order.push(place);

  const table = document.createElement("table");
  table.append(make("caption", data.name));
  const heads = document.createElement("tr");
  data.columns.forEach((column, place) => {
    const head = make("th");
    head.scope = "col";
    head.className = column.number ? "number" : "";
    const isThis = sorted?.column === place;
    if (isThis) head.ariaSort = sorted.descending ? "descending" : "ascending";
    const press = make("button", column.head);
    press.type = "button";
    press.title = column.explained;
    press.dataset.column = place;
    const arrow = make("span", isThis ? (sorted.descending ? " ↓" : " ↑") : "");
    arrow.ariaHidden = "true";
    press.append(arrow);
    press.addEventListener("click", () => {
      const descending = isThis ? !sorted.descending : column.number;
      frame.sorted = { column: place, descending };
      draw(frame);
      frame.querySelector(`[data-column="${place}"]`).focus();
    });
    head.append(press);
    heads.append(head);
  });
  const top = document.createElement("thead");
  top.append(heads);
  const body = document.createElement("tbody");
  for (const place of order) {
    const line = document.createElement("tr");
    data.rows[place].forEach(([text, , address], column) => {
      const cell = make(column ? "td" : "th");
      if (!column) cell.scope = "row";
      cell.className = data.columns[column].number ? "number" : "";
      const swatch = column === data.swatchColumn ? data.swatches[place] : null;
      if (swatch) {
        const mark = make("span");
        mark.className = "swatch";
        mark.style.background = `var(--studio-series-${swatch})`;
        mark.ariaHidden = "true";
        cell.append(mark);
      }
      const said = make(address ? "a" : "span", text);
      said.title = text;
      if (address) {
        said.href = address;
        said.title = data.columns[column].explained;
      }
      cell.append(said);
      line.append(cell);
    });
    body.append(line);
  }
  table.append(top, body);
  frame.replaceChildren(table);
}

export default function ({ data: [data], parentElement }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const frame = parentElement.querySelector(".frame");
  const said = JSON.stringify(data);
  if (frame.said === said) return;
  frame.said = said;
  frame.data = data;
  frame.setAttribute("aria-label", data.name);
  if (frame.sorted && frame.sorted.column >= data.columns.length) frame.sorted = undefined;
  draw(frame);
}
