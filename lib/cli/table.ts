/** Rows of text as columns; numbers (and what begins with one) to the right. The first row is the head. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const right = rows[0].map((_, column) => rows.slice(1).every((row) => /^[\d-]/.test(row[column])));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}
