/** Columns for people: numbers to the right, words to the left. */

/** The rows under their headings. All rows have as many cells as there are headings. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = rows.map((row) => row.map(cellText));
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...cells.map((row) => (row[i] as string).length)),
  );
  const numeric = headings.map((_, i) => rows.every((row) => typeof row[i] === "number"));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const width = widths[i] as number;
        return numeric[i] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return `${[line(headings), ...cells.map(line)].join("\n")}\n`;
}

/** Whole numbers in groups of three digits, others with one decimal. */
export function formatNumber(value: number): string {
  if (!Number.isInteger(value)) return value.toFixed(1);
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

const cellText = (cell: string | number): string =>
  typeof cell === "number" ? formatNumber(cell) : cell;
