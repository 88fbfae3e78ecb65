/** Pieces of HTML as texts. What comes from elsewhere goes through `escaped`. */

/** A text as it stands in elements and in attributes with double quotes. */
export const escaped = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly isNumber: boolean;
}

/**
 * A table that scrolls by itself, also by keyboard. The cells are HTML; the first names its row.
 */
export function tableOf(
  label: string,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const classOf = (at: number): string => (columns[at]?.isNumber === true ? ' class="number"' : "");
  const head = columns.map(({ title }, at) => `<th scope="col"${classOf(at)}>${title}</th>`);
  const lines = rows.map((row) => {
    const cells = row.map((cell, at) =>
      at === 0 ? `<th scope="row"${classOf(at)}>${cell}</th>` : `<td${classOf(at)}>${cell}</td>`,
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  return (
    `<div class="scroll" role="region" tabindex="0" aria-label="${escaped(label)}"><table>` +
    `<thead><tr>${head.join("")}</tr></thead>\n<tbody>\n${lines.join("\n")}\n</tbody></table></div>`
  );
}

/** A share of something, from 0 to 1, as a bar. Its figure stands beside it. */
export const barOf = (share: number): string =>
  '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">' +
  `<rect width="${(share * 100).toFixed(2)}" height="8"/></svg>`;

/** A command to be pasted. The page's script puts a button beside it. */
export const commandOf = (title: string, command: string): string =>
  `<p class="paste"><span>${title}</span> <code class="command">${escaped(command)}</code></p>`;
