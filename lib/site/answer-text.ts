/** The first line that says something, of what a command printed, without control characters and not too long. */
export function firstWords(text: string): string {
  const line = text.split(/[\r\n]/).find((one) => one.trim() !== '') ?? '';
  const plain = line.replace(/\p{Cc}\[[0-9;?]*[A-Za-z]/gu, '').replace(/\p{Cc}+/gu, ' ');
  return plain.trim() === '' ? 'nothing' : plain.trim().slice(0, 160);
}
