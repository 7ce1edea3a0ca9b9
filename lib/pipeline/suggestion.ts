/** The name that someone who typed `found` most likely meant, or undefined when none is near. */
export function suggest(found: string, names: readonly string[]): string | undefined {
  const simple = (name: string) => name.toLowerCase().replaceAll(/[-_ ]/g, '');
  const same = names.find((name) => simple(name) === simple(found));
  if (same !== undefined) return same;
  let best: string | undefined;
  // A name of one letter is near to every other of one letter.
  let bestDistance = found.length < 2 ? 0 : Math.max(1, Math.floor(found.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(simple(found), simple(name));
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from a to b (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + differs);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length];
}
