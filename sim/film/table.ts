/** Rows of numbers kept as columns, the newest ones where there are too many. */

/** Mutable. */
export interface Table {
  readonly columns: number[][];
  /** Rows given up at the front. A row's number counts them, so that it stays the same. */
  dropped: number;
}

export const tableOf = (columns: number): Table => ({
  columns: Array.from({ length: columns }, () => []),
  dropped: 0,
});

/** Appends a row and gives its number. Beyond `most` rows and a quarter, the oldest go. */
export function addRow(table: Table, most: number, row: readonly number[]): number {
  const { columns } = table;
  for (let i = 0; i < columns.length; i++) (columns[i] as number[]).push(row[i] as number);
  const length = rowsOf(table);
  const number = table.dropped + length - 1;
  if (length > most + most / 4) {
    for (const column of columns) column.splice(0, length - most);
    table.dropped += length - most;
  }
  return number;
}

/** How many rows are kept. */
export const rowsOf = (table: Table): number => (table.columns[0] as number[]).length;

/** The columns by their names, which stand in the order of the columns. */
export const named = <Name extends string>(
  { columns }: Table,
  names: readonly Name[],
): Record<Name, number[]> =>
  Object.fromEntries(names.map((name, i) => [name, columns[i]])) as Record<Name, number[]>;
